"""Triggers of CodeCommit's repositories: what a commit, a branch and a test tell a function."""

import json
import os
import subprocess

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from minilambda.triggers.code_repository import Author, Commit
from minilambda.triggers.codecommit import Change, Trigger

PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
ARN = "arn:aws:codecommit:eu-west-2:123456789012:shop"


def repository(files=True):
    codecommit = boto3.client("codecommit")
    codecommit.create_repository(repositoryName="shop")
    if files:
        put(codecommit, "main", "a.txt", b"one")
    return codecommit


def put(codecommit, branch, path, content, parent=None):
    more = {"parentCommitId": parent} if parent else {}
    return codecommit.put_file(repositoryName="shop", branchName=branch, filePath=path,
                               fileContent=content, name="Ada", email="ada@example.com", **more)["commitId"]


def function(lab, permitted=True):
    name = lab.deploy(PRINTS)
    if permitted:
        lab.client.add_permission(FunctionName=name, StatementId="c", Action="lambda:InvokeFunction",
                                  Principal="codecommit.amazonaws.com", SourceArn=ARN,
                                  SourceAccount="123456789012")
    return lab.client.get_function_configuration(FunctionName=name)["FunctionArn"]


def trigger(codecommit, arn, events=("all",), branches=(), **more):
    return codecommit.put_repository_triggers(repositoryName="shop", triggers=[{
        "name": "tell", "destinationArn": arn, "events": list(events), "branches": list(branches),
        **more}])["configurationId"]


def references(lab, arn):
    return [one["Records"][0]["codecommit"]["references"][0] for one in lab.printed(arn)]


def test_the_event_field_by_field(fresh):
    codecommit, arn = repository(), function(fresh)
    configuration = trigger(codecommit, arn, customData="for the shop")
    first = codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]
    commit = put(codecommit, "main", "b.txt", b"two", first)
    (event,) = fresh.printed(arn)
    (record,) = event["Records"]
    assert len(record.pop("eventId")) == 36
    assert record == {
        "awsRegion": "eu-west-2",
        "codecommit": {"references": [{"commit": commit, "ref": "refs/heads/main"}]},
        "customData": "for the shop", "eventName": "ReferenceChanges", "eventPartNumber": 1,
        "eventSource": "aws:codecommit", "eventSourceARN": ARN,
        "eventTime": "2020-03-02T09:00:00.000+0000", "eventTotalParts": 1,
        "eventTriggerConfigId": configuration, "eventTriggerName": "tell", "eventVersion": "1.0",
        "userIdentityARN": "arn:aws:iam::123456789012:root"}


def test_branches_come_and_go(fresh):
    codecommit, arn = repository(), function(fresh)
    trigger(codecommit, arn)
    commit = codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]
    codecommit.create_branch(repositoryName="shop", branchName="new/idea", commitId=commit)
    codecommit.delete_branch(repositoryName="shop", branchName="new/idea")
    codecommit.delete_branch(repositoryName="shop", branchName="never-there")
    assert references(fresh, arn) == [
        {"commit": commit, "created": True, "ref": "refs/heads/new/idea"},
        {"commit": commit, "deleted": True, "ref": "refs/heads/new/idea"}]


@pytest.mark.parametrize(("events", "branches", "kinds"), [
    (["createReference"], [], {"created"}),
    (["deleteReference"], [], {"deleted"}),
    (["updateReference"], [], {"updated"}),
    (["createReference", "updateReference"], ["topic"], {"created", "updated"}),
    (["all"], ["main"], set()),
    (["all"], [], {"created", "deleted", "updated"})])
def test_a_trigger_is_for_its_events_and_branches(fresh, events, branches, kinds):
    codecommit, arn = repository(), function(fresh)
    trigger(codecommit, arn, events, branches)
    commit = codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]
    codecommit.create_branch(repositoryName="shop", branchName="topic", commitId=commit)
    put(codecommit, "topic", "b.txt", b"two", commit)
    codecommit.delete_branch(repositoryName="shop", branchName="topic")
    assert {next((kind for kind in ("created", "deleted") if kind in one), "updated")
            for one in references(fresh, arn)} == kinds


def test_a_topic_is_told_too(fresh):
    codecommit, sqs, sns = repository(), boto3.client("sqs"), boto3.client("sns")
    topic = sns.create_topic(Name="pushes")["TopicArn"]
    queue = sqs.create_queue(QueueName="pushes")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs",
                  Endpoint="arn:aws:sqs:eu-west-2:123456789012:pushes")
    trigger(codecommit, topic)
    commit = codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]
    put(codecommit, "main", "b.txt", b"two", commit)
    fresh.cloud.run_until_idle()
    message = json.loads(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])["Message"]
    assert json.loads(message)["Records"][0]["eventSourceARN"] == ARN


def test_without_permission_nothing_comes_and_a_test_says_so(fresh):
    codecommit, arn = repository(), function(fresh, permitted=False)
    trigger(codecommit, arn)
    commit = codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]
    put(codecommit, "main", "b.txt", b"two", commit)
    assert fresh.printed(arn) == []
    assert [one.data["source"] for one in fresh.cloud.trace if one.kind == "trigger.dropped"] == [
        "codecommit"]
    answer = codecommit.test_repository_triggers(repositoryName="shop", triggers=[
        {"name": "tell", "destinationArn": arn, "events": ["all"], "branches": []}])
    assert answer["successfulExecutions"] == []
    assert "codecommit.amazonaws.com" in answer["failedExecutions"][0]["failureMessage"]


def test_a_test_sends_an_event_that_says_it_is_one(fresh):
    codecommit, arn = repository(), function(fresh)
    asked = [{"name": "tell", "destinationArn": arn, "events": ["all"], "branches": []}]
    answer = codecommit.test_repository_triggers(repositoryName="shop", triggers=asked)
    assert answer["successfulExecutions"] == ["tell"] and answer["failedExecutions"] == []
    assert [one["Records"][0]["eventName"] for one in fresh.printed(arn)] == ["TriggerEventTest"]
    assert codecommit.get_repository_triggers(repositoryName="shop")["triggers"] == []


@pytest.mark.parametrize(("change", "code"), [
    ({"destinationArn": "arn:aws:sqs:eu-west-2:123456789012:q"},
     "InvalidRepositoryTriggerDestinationArnException"),
    ({"destinationArn": "arn:aws:lambda:eu-west-1:123456789012:function:f"},
     "InvalidRepositoryTriggerRegionException"),
    ({"events": []}, "RepositoryTriggerEventsListRequiredException"),
    ({"events": ["all", "createReference"]}, "InvalidRepositoryTriggerEventsException"),
    ({"branches": [f"b{n}" for n in range(11)]}, "MaximumBranchesExceededException")])
def test_what_a_trigger_may_not_be(fresh, change, code):
    codecommit = repository()
    asked = {"name": "tell", "destinationArn": "arn:aws:lambda:eu-west-2:123456789012:function:f",
             "events": ["all"], "branches": [], **change}
    with pytest.raises(ClientError) as refused:
        codecommit.put_repository_triggers(repositoryName="shop", triggers=[asked])
    assert refused.value.response["Error"]["Code"] == code
    assert codecommit.get_repository_triggers(repositoryName="shop")["triggers"] == []


def test_what_a_commit_may_not_be(fresh):
    codecommit = repository()
    commit = codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]

    def code(operation, **asked):
        with pytest.raises(ClientError) as refused:
            getattr(codecommit, operation)(repositoryName="shop", **asked)
        return refused.value.response["Error"]["Code"]

    file = {"filePath": "a.txt", "fileContent": b"x"}
    assert code("put_file", branchName="main", **file) == "ParentCommitIdRequiredException"
    assert code("put_file", branchName="main", parentCommitId="0" * 40, **file) == (
        "ParentCommitIdOutdatedException")
    assert code("put_file", branchName="other", parentCommitId=commit, **file) == (
        "BranchDoesNotExistException")
    assert code("put_file", branchName="main", parentCommitId=commit, filePath="a.txt",
                fileContent=b"one") == "SameFileContentException"
    assert code("put_file", branchName="main", parentCommitId=commit, filePath="a.txt/b",
                fileContent=b"x") == "DirectoryNameConflictsWithFileNameException"
    assert code("create_commit", branchName="main", parentCommitId=commit, putFiles=[
        {"filePath": "c", "fileContent": b"x"}, {"filePath": "c/d", "fileContent": b"x"}]) in {
            "DirectoryNameConflictsWithFileNameException", "FileNameConflictsWithDirectoryNameException"}
    assert code("create_commit", branchName="main", parentCommitId=commit) == "NoChangeException"
    assert code("delete_branch", branchName="main") == "DefaultBranchCannotBeDeletedException"
    assert code("create_branch", branchName="b", commitId="0" * 40) == "CommitIdDoesNotExistException"
    assert code("create_commit", branchName="main", parentCommitId=commit, keepEmptyFolders=True)
    assert codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"] == commit


def test_a_commit_of_several_files(fresh):
    codecommit = repository()
    commit = codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]
    answer = codecommit.create_commit(
        repositoryName="shop", branchName="main", parentCommitId=commit, commitMessage="more",
        putFiles=[{"filePath": "src/b.py", "fileContent": b"b"}], deleteFiles=[{"filePath": "a.txt"}])
    assert [one["absolutePath"] for one in answer["filesAdded"]] == ["src/b.py"]
    assert [one["absolutePath"] for one in answer["filesDeleted"]] == ["a.txt"]
    read = codecommit.get_file(repositoryName="shop", filePath="src/b.py")
    assert read["fileContent"] == b"b" and read["commitId"] == answer["commitId"]
    told = codecommit.get_commit(repositoryName="shop", commitId=answer["commitId"])["commit"]
    assert told["parents"] == [commit] and told["message"] == "more"
    assert codecommit.list_branches(repositoryName="shop")["branches"] == ["main"]


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.from_regex(r"[a-c]/[d-f]\.txt|[a-c]-?\.txt|g/[a-c]/[d-f]", fullmatch=True),
                       st.binary(max_size=20), min_size=1, max_size=6), st.text("ab\n ", max_size=9))
def test_ids_are_gits(tmp_path_factory, files, message):
    folder = tmp_path_factory.mktemp("git")
    instant = "1583139600 +0000"

    def git(*arguments, given=None):
        return subprocess.run(["git", *arguments], cwd=folder, input=given, check=True,
                              capture_output=True, env=os.environ | {
                                  f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                                  for what, value in (("NAME", "Ada"), ("EMAIL", "a@b.c"),
                                                      ("DATE", instant))}).stdout.decode().strip()

    git("init", "-q")
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    git("add", "-A", "-f")
    tree = git("write-tree")
    made = Commit(files, (), Author("Ada", "a@b.c", 1583139600), message)
    assert made.tree == tree
    assert made.id == git("hash-object", "-t", "commit", "--stdin", "--literally", given=(
        f"tree {tree}\nauthor Ada <a@b.c> {instant}\ncommitter Ada <a@b.c> {instant}\n\n{message}").encode())


@given(st.sets(st.sampled_from(["createReference", "deleteReference", "updateReference"]), min_size=1),
       st.sets(st.sampled_from(["main", "a", "b/c"])),
       st.sampled_from(["createReference", "deleteReference", "updateReference"]),
       st.sampled_from(["main", "a", "b/c", "b"]))
def test_a_trigger_matches_by_event_and_branch(events, branches, event, branch):
    change = Change(ARN, "1", "eu-west-2", event, f"refs/heads/{branch}", "0", "")
    is_for = Trigger("t", "arn", tuple(branches), tuple(events)).is_for(change)
    assert is_for == (event in events and (not branches or branch in branches))
    assert Trigger("t", "arn", tuple(branches), ("all",)).is_for(change) == (
        not branches or branch in branches)
