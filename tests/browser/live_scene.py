"""A notebook with live traffic and a control panel, as a page of the gallery has them."""

import nbformat
from nbclient import NotebookClient

from minilambda.views.state import keep_shown

CELLS = [
    """\
import boto3, json
from minilambda import Cloud, views, zip_handler
cloud = Cloud(durations="modelled")
lam = boto3.client("lambda")""",
    """\
%%writefile work.py
import time

def handler(event, context):
    time.sleep(0.6)
    return "done"
""",
    """\
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = boto3.client("iam").create_role(
    RoleName="work", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
made = lam.create_function(FunctionName="work", Runtime="python3.8", Role=role,
    Handler="work.handler", Code={"ZipFile": zip_handler("work.py")})""",
    """\
clients = views.patterns.burst(5, every=1, seconds=10)
live = views.live(cloud, "work", clients, {"ReservedConcurrentExecutions": [None, 1, 2, 3, 5]})
live""",
    """\
panel = views.panel(cloud, "work", controls={"MemorySize": (128, 256, 64),
    "ReservedConcurrentExecutions": [None, 0, 2, 950]})
panel""",
]


def notebook(folder):
    """The scene, run in `folder`, with the state of what it shows."""
    made = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell("# Five clients, reserved concurrency"),
        *(nbformat.v4.new_code_cell(source) for source in CELLS)])
    NotebookClient(made, timeout=300, kernel_name="python3",
                   resources={"metadata": {"path": str(folder)}}).execute()
    assert keep_shown(made) == []
    return made
