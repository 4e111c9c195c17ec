"""Pages of the regions: the choice, each one's home, what the law wants said, help."""

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date

from terristory.regions.accessibility import ALL_CRITERIA, latest_tests
from terristory.regions.lookup import open_regions
from terristory.regions.models import Region
from terristory.web.access import open_to_all
from terristory.web.last_region import last_region
from terristory.web.settings_in_force import settings_in_force

pages = Blueprint("regions", __name__)
GUIDES = ("demander-un-compte", "administrer-sa-region")


@pages.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    """List the open regions, the one last signed in to first; go straight to the only one."""
    regions = list(open_regions())
    if len(regions) == 1:
        return redirect(url_for("regions.region_home", region=regions[0].key))
    last = last_region()
    regions.sort(key=lambda region: region.key != last)
    return render_template("regions/home.html", regions=regions, last=last)


@pages.get("/<region:region>/")
@open_to_all
def region_home(region: Region) -> ResponseReturnValue:
    """Offer the two things one comes for: sign in, ask for an account."""
    return render_template("regions/region_home.html")


@pages.get("/<region:region>/mentions-legales")
@open_to_all
def legal_notice(region: Region) -> ResponseReturnValue:
    """Say who publishes and hosts (LCEN, article 6)."""
    return render_template("regions/legal_notice.html")


@pages.get("/<region:region>/donnees-personnelles")
@open_to_all
def privacy(region: Region) -> ResponseReturnValue:
    """Say what is kept, why, for how long and what one may ask (GDPR, article 13), with the settings in force."""
    return render_template("regions/privacy.html", settings=settings_in_force())


@pages.get("/accessibilite")
@open_to_all
def accessibility() -> ResponseReturnValue:
    """Declare how accessible the site is (decree 2019-768), by what its tests found and nothing else."""
    tests = latest_tests()
    return render_template(
        "regions/accessibility.html",
        tests=tests,
        tested_on=format_date(tests.on, "long"),
        all_criteria=ALL_CRITERIA,
        contacts=[region for region in open_regions() if region.contact],
    )


@pages.get("/aide", endpoint="help")
@open_to_all
def list_guides() -> ResponseReturnValue:
    """List the guides."""
    return render_template("regions/help.html")


@pages.get("/aide/<guide>")
@open_to_all
def guide(guide: str) -> ResponseReturnValue:
    """Show one guide, with the durations in force."""
    if guide not in GUIDES:
        abort(404)
    return render_template(f"regions/guides/{guide}.html", settings=settings_in_force())
