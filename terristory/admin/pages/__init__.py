"""Pages for the administrators of a region: the list, one decision on many accounts, one account, the journal."""

from terristory.admin.pages import account_list, journal, many_accounts, one_account
from terristory.admin.pages.blueprint import pages

__all__ = ["account_list", "journal", "many_accounts", "one_account", "pages"]
