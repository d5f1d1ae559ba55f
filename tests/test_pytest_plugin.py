"""The fixture `minilambda`, in a project that has nothing else of ours."""

import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run(tmp_path):
    """Run pytest on a test file; gives (passed?, output)."""

    def run(source, *options):
        (tmp_path / "test_it.py").write_text(textwrap.dedent(source))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers",
             "-o", "addopts=", *options], cwd=tmp_path, capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    return run


def test_a_cloud_for_each_test(run):
    passed, output = run("""
        import os, boto3, pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_fresh(minilambda, number):
            sqs = boto3.client("sqs")
            assert "QueueUrls" not in sqs.list_queues()
            sqs.create_queue(QueueName="q")
            assert minilambda.limits.profile == "course"
            minilambda.run(minutes=10)

        def test_closed_after():
            assert "AWS_ENDPOINT_URL" not in os.environ

        @pytest.mark.minilambda(durations="modelled", seed=1)
        class TestOptions:
            @pytest.mark.minilambda(limits="today", seed=2)
            def test_nearest_wins(self, minilambda):
                assert (minilambda.durations, minilambda.limits.profile, minilambda.seed) == (
                    "modelled", "today", 2)
    """)
    assert passed and "4 passed" in output, output


@pytest.mark.parametrize(("marker", "message"), [
    ("limits='2019'", "no limits profile '2019'"), ("color=1", "unexpected keyword argument 'color'"),
    ("'today'", "takes options by name"),
])
def test_wrong_options_are_said(run, marker, message):
    passed, output = run(f"""
        import pytest

        @pytest.mark.minilambda({marker})
        def test_it(minilambda): pass
    """)
    assert not passed and message in output and "1 error" in output, output


def test_who_does_not_use_it_does_not_pay_for_it(run):
    passed, output = run("""
        import sys

        def test_it():
            assert "minilambda.pytest_plugin" in sys.modules
            heavy = {"moto", "boto3", "botocore", "simpy", "minilambda.cloud"}
            assert not heavy & set(sys.modules)
    """)
    assert passed, output


def test_it_is_listed(run):
    _, output = run("", "--markers")
    assert "@pytest.mark.minilambda(**options)" in output
    _, output = run("", "--fixtures")
    assert "A fresh minilambda.Cloud" in output
