"""The pictures of messages, queues, shards and the topology, drawn by the book's own script."""

import json
import shutil
from pathlib import Path

import boto3
import plotly
import plotly.io as pio
import pytest
from browser_driver import ROOT, SCREENSHOTS, WIDTHS, axe_findings, served

import minilambda
from minilambda import views
from minilambda.views.renderer import picture, said

PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>pictures</title><meta name="viewport" content="width=device-width">
<style>:root {{ --pst-color-text-base: {text}; --pst-color-surface: {paper}; }}
body {{ background: {paper}; color: {text}; }}</style>
<link rel="stylesheet" href="custom.css"><link rel="icon" href="favicon.svg">
<script defer src="figures.js"></script></head>
<body><main><h1>Pictures</h1>{figures}</main></body></html>"""
THEMES = {"light": {"text": "#222832", "paper": "#ffffff"},
          "dark": {"text": "#ced6dd", "paper": "#121212"}}
NAMES = ("messages", "queue_depth", "shards", "topology")


@pytest.fixture(scope="module")
def figures():
    """One figure of each, of a cloud in which something went wrong."""
    with minilambda.Cloud(durations="modelled", sandbox="inline") as cloud:
        sqs, kinesis, sns = (boto3.client(name) for name in ("sqs", "kinesis", "sns"))
        sqs.create_queue(QueueName="dead")
        place = f"{cloud.region}:{cloud.account_id}"
        url = sqs.create_queue(QueueName="orders", Attributes={
            "VisibilityTimeout": "30", "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": f"arn:aws:sqs:{place}:dead", "maxReceiveCount": 1})})[
                    "QueueUrl"]
        topic = sns.create_topic(Name="news")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{place}:orders")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{place}:nowhere")
        kinesis.create_stream(StreamName="clicks", ShardCount=2)
        for n in range(6):
            sqs.send_message(QueueUrl=url, MessageBody="m", DelaySeconds=n)
            kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey=str(n))
            cloud.run(seconds=2)
            found = sqs.receive_message(QueueUrl=url).get("Messages")
            if found and n % 2:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
        first = kinesis.get_shard_iterator(StreamName="clicks", ShardId="shardId-000000000000",
                                           ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        kinesis.get_records(ShardIterator=first, Limit=1)
        cloud.run(seconds=40)
        sqs.receive_message(QueueUrl=url)
        made = (views.messages(cloud), views.queue_depth(cloud, "orders"),
                views.shards(cloud, "clicks"), views.topology(cloud))
        return {name: json.loads(pio.to_json(figure, validate=False, remove_uids=True))
                for name, figure in zip(NAMES, made, strict=True)}


@pytest.fixture(scope="module")
def site(figures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for name in ("figures.js", "custom.css", "favicon.svg"):
        shutil.copy(ROOT / "book" / "_static" / name, folder)
    (folder / "vendor" / "plotly").mkdir(parents=True)
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
                folder / "vendor" / "plotly")
    shown = "".join(picture(json.loads(json.dumps(spec)))["text/html"] + said(spec)["text/html"]
                    for spec in figures.values())
    for theme, colours in THEMES.items():
        page = PAGE.format(theme=theme, figures=shown, **colours)
        (folder / f"{theme}.html").write_text(page, encoding="utf-8")
    with served(folder) as address:
        yield address


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_pictures_are_drawn_fit_and_have_words(chromium, site, theme, width):
    context = chromium.new_context(viewport=WIDTHS[width])
    try:
        page, problems = context.new_page(), []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.goto(f"{site}/{theme}.html")
        page.evaluate("() => window.minilambdaFigures")
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"message-pictures-{width}-{theme}.png", full_page=True)
        assert page.locator(".minilambda-figure .main-svg").count() >= len(NAMES)
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        # No title reaches into its picture, and no label out of it.
        outside = page.evaluate("""() => [...document.querySelectorAll('.minilambda-figure')]
            .flatMap((figure) => { const box = figure.getBoundingClientRect();
              return [...figure.querySelectorAll('.gtitle, .xtick text, .ytick text, .textpoint')]
                .filter((e) => { const b = e.getBoundingClientRect();
                                 return b.left < box.left - 1 || b.right > box.right + 1; })
                .map((e) => e.textContent); })""")
        assert outside == []
        for details in page.locator("details").all():
            details.locator("summary").focus()
            page.keyboard.press("Enter")
            assert details.locator("table").is_visible()
        assert axe_findings(page) == [] and problems == []
    finally:
        context.close()
