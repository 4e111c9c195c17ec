"""The real components of the tests do what the tests of faults rely on."""

import smtplib
import ssl

import psycopg
import pytest
from redis.exceptions import RedisError

from tests.support.components import require
from tests.support.smtp import running_mail_server

MESSAGE = b"Subject: Bonjour\r\n\r\nVotre compte\r\n"


def deliver(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as connection:
        connection.sendmail("a@exemple.fr", ["b@exemple.fr"], MESSAGE)


def test_an_absent_component_is_a_skip_at_home_and_a_failure_in_ci(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Rien is not installed"):
        require("Rien", None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI is set"):
        require("Rien", None)
    assert require("Python", "here") == "here"


def test_the_mail_server_keeps_what_it_receives(mail_server):
    deliver(mail_server.port)
    (received,) = mail_server.messages
    assert (received.sender, received.recipients) == ("a@exemple.fr", ("b@exemple.fr",))
    assert received.message["Subject"] == "Bonjour"
    assert received.part("plain").strip() == "Votre compte"


def test_the_mail_server_answers_as_told_once(mail_server):
    mail_server.answer("451 later")
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        deliver(mail_server.port)
    deliver(mail_server.port)
    assert len(mail_server.messages) == 1


def test_the_mail_server_can_lose_its_acknowledgement(mail_server):
    mail_server.drop_after_data()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        deliver(mail_server.port)
    assert len(mail_server.messages) == 1


def test_the_mail_server_comes_back_on_its_port(mail_server):
    port = mail_server.port
    mail_server.stop()
    with pytest.raises(ConnectionRefusedError):
        deliver(port)
    mail_server.start()
    deliver(port)
    assert len(mail_server.messages) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_mail_server_speaks_tls_under_its_own_authority(security, tmp_path):
    with running_mail_server(security, login=("terristory", "p:w@d")) as server:
        trusting = ssl.create_default_context(cafile=str(server.trusted_authorities(tmp_path)))
        if security == "tls":
            connection = smtplib.SMTP_SSL("127.0.0.1", server.port, context=trusting, timeout=5)
        else:
            connection = smtplib.SMTP("127.0.0.1", server.port, timeout=5)
            connection.starttls(context=trusting)
        with connection:
            connection.login("terristory", "p:w@d")
            connection.sendmail("a@exemple.fr", ["b@exemple.fr"], MESSAGE)
        (received,) = server.messages
        assert (received.user, received.encrypted) == ("terristory", True)
        assert "p%3Aw%40d@127.0.0.1" in server.url


@pytest.mark.postgresql
def test_postgresql_can_be_silenced_killed_and_started_again(own_postgres):
    own_postgres.create_database("kept")
    own_postgres.suspend()
    with pytest.raises(psycopg.OperationalError):
        own_postgres.connect("kept")
    own_postgres.resume()
    own_postgres.kill()
    own_postgres.start()
    with own_postgres.connect("kept") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.redis
def test_redis_forgets_when_killed(redis_server):
    with redis_server.client() as client:
        client.set("key", "value")
    redis_server.kill()
    with redis_server.client() as client, pytest.raises(RedisError):
        client.ping()
    redis_server.start()
    with redis_server.client() as client:
        assert client.get("key") is None


@pytest.mark.browser
def test_chromium_reaches_this_machine_only(browser_context):
    page = browser_context.new_page()
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://terristory.example/")


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_begins_with_the_regions_open_and_nobody_in_them(app, turn):
    from terristory.database import transaction
    from terristory.extensions import db
    from terristory.regions.models import Region

    assert db.session.query(Region).count() == 18
    assert {region.is_open for region in db.session.query(Region)} == {True}
    with transaction():
        db.session.query(Region).delete()
