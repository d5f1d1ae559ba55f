"""One row a shard of a Kinesis stream: records put, the iterator marching after them, its lag.

Stands for what one would read off GetRecords' answers. AWS page: *Amazon Kinesis Data Streams
Terminology and Concepts*. Leaves out: what a record holds.
"""

from __future__ import annotations

import textwrap
from typing import Any

import boto3
import plotly.graph_objects as go
from botocore.exceptions import ClientError

from . import words
from .renderer import describe
from .scale import Scale
from .streams import Progress, arn_of, progress
from .template import BLUE, GREEN, GREY, ORANGE

MOST_ROWS = 40
NUMBERED = 24  # so many reads of a row have room for the iterator's position beside each
COLUMNS = ("shard", "what", "when", "records", "left to read", "by")


def shards(cloud: Any, stream: str, since: float = 0.0) -> go.Figure:
    """Draw the shards of a stream: puts, reads, and how many records were unread meanwhile.

    Args:
        cloud: a :class:`minilambda.Cloud` (its ``trace``, ``clock`` and ``region`` are read; the
            stream's shards are listed with boto3).
        stream: its name or ARN.
        since: only puts and reads at this instant or later, in seconds as ``cloud.seconds``.

    Returns:
        A Plotly figure that carries its text alternative. A shard that several read has a row each.

    Raises:
        ValueError: nothing was put into such a stream, or several have this name.
    """
    arn = arn_of(cloud.trace, stream)
    found = progress(cloud.trace, arn, since)
    live = _live(arn)
    found += [Progress(shard, None) for shard in live if shard not in {p.shard_id for p in found}]
    found.sort(key=lambda p: p.shard_id)  # stable: a shard's readers stay in their order
    shown = found[:MOST_ROWS]
    backlogs = [p.backlog() for p in shown]
    scale = _scale(shown, backlogs, cloud.clock.seconds)
    several = len({p.reader for p in found if p.reader is not None}) > 1
    names = [_name(p, several) for p in shown]
    sentence = _sentence(arn.rsplit("/", 1)[-1], found)
    if len(found) > len(shown):
        sentence += f" The first {len(shown)} of {len(found):,} rows are shown."
    figure = go.Figure()
    _draw_backlogs(figure, shown, backlogs, scale)
    _draw_events(figure, shown, scale)
    _lay_out(figure, names, scale, sentence)
    note = ("The time axis is not to scale: times in which everything was read are drawn shorter"
            + (", the shortest times longer." if scale.stretched else ".")) if not scale.true else ""
    closed = [p.shard_id for p in shown if live.get(p.shard_id) is False]
    if closed:
        note += f" Closed by splitting or merging: {words.listing(sorted(set(map(_short, closed))))}."
    return describe(figure, f"{sentence} {note}".strip(), COLUMNS, _rows(shown, names, scale))


def _live(arn: str) -> dict[str, bool]:
    """The stream's shards as they are now: id -> open?. None where it has been deleted."""
    client, found = boto3.client("kinesis", region_name=arn.split(":")[3]), {}
    try:
        answer = client.list_shards(StreamName=arn.rsplit("/", 1)[-1])
        while True:
            for shard in answer["Shards"]:
                found[shard["ShardId"]] = "EndingSequenceNumber" not in shard["SequenceNumberRange"]
            if "NextToken" not in answer:
                return found
            answer = client.list_shards(NextToken=answer["NextToken"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return {}


def _short(shard_id: str) -> str:
    return str(int(shard_id.removeprefix("shardId-")))


def _name(row: Progress, several: bool) -> str:
    name = f"shard {_short(row.shard_id)}"
    if several and row.reader is not None:
        name += f", {textwrap.shorten(row.reader or 'notebook', 12, placeholder='…')}"
    return name



def _scale(shown: list[Progress], backlogs: list[Any], now: float) -> Scale:
    moments = {e.at for p in shown for e in (*p.puts, *p.reads)}
    open_ended = any(b and b[-1].records for b in backlogs)
    if open_ended:
        moments.add(max(now, *moments))
    last = max(moments)
    behind = [(b.at, steps[place + 1].at if place + 1 < len(steps) else last)
              for steps in backlogs for place, b in enumerate(steps) if b.records]
    return Scale(moments, behind, open_ended)


def _draw_backlogs(figure: go.Figure, shown: list[Progress], backlogs: list[Any],
                   scale: Scale) -> None:
    """A bar while records are unread, the thicker the more; a thin one while there are none."""
    most = max((b.records for steps in backlogs for b in steps), default=0)
    bars: dict[bool, list[tuple[int, float, float, int]]] = {True: [], False: []}
    for row, steps in enumerate(backlogs):
        for place, step in enumerate(steps):
            end = scale.place(steps[place + 1].at) if place + 1 < len(steps) else scale.right
            bars[step.records > 0].append((row, scale.place(step.at), end, step.records))
    for behind, (name, colour, pattern) in {True: ("unread records", ORANGE, "/"),
                                            False: ("all read", GREY, "")}.items():
        if bars[behind]:
            figure.add_bar(
                name=name, orientation="h", y=[row for row, _, _, _ in bars[behind]],
                base=[a for _, a, _, _ in bars[behind]], x=[b - a for _, a, b, _ in bars[behind]],
                width=[0.14 if not n else 0.2 + 0.5 * n / most for _, _, _, n in bars[behind]],
                marker={"color": colour, "line": {"color": "rgba(128,128,128,0.9)", "width": 0.5},
                        "pattern": {"shape": pattern, "fgcolor": "rgba(255,255,255,0.75)",
                                    "fillmode": "overlay", "size": 6, "solidity": 0.25}},
                hovertext=[f"{words.count(n, 'record')} to read" for _, _, _, n in bars[behind]],
                hoverinfo="text")


def _draw_events(figure: go.Figure, shown: list[Progress], scale: Scale) -> None:
    puts = [(row, e) for row, p in enumerate(shown) for e in p.puts]
    if puts:
        figure.add_scatter(
            name="put", mode="markers", x=[scale.place(e.at) for _, e in puts],
            y=[row - 0.3 for row, _ in puts], cliponaxis=False, hoverinfo="text",
            hovertext=[f"record {e['sequence_number']} put by {words.who(e.function, e['via'])}<br>"
                       f"partition key {e['partition_key']}" for _, e in puts],
            marker={"symbol": "line-ns", "size": 9, "color": BLUE,
                    "line": {"color": BLUE, "width": 2}})
    reads = [(row, e, len(p.reads) <= NUMBERED) for row, p in enumerate(shown) for e in p.reads]
    for some, (name, symbol) in {True: ("read, up to record", "triangle-right"),
                                 False: ("read, nothing new", "triangle-right-open")}.items():
        drawn = [(row, e, room) for row, e, room in reads if bool(e["count"]) == some]
        if drawn:
            figure.add_scatter(
                name=name, mode="markers+text" if some else "markers",
                x=[scale.place(e.at) for _, e, _ in drawn], y=[row for row, _, _ in drawn],
                text=[str(e["upto"]) if room and some else "" for _, e, room in drawn],
                textposition="bottom center", cliponaxis=False, hoverinfo="text",
                hovertext=[_read(e) for _, e, _ in drawn],
                marker={"symbol": symbol, "size": 11, "color": GREEN,
                        "line": {"color": "white" if some else GREEN, "width": 1}})


def _read(event: Any) -> str:
    after = "the beginning" if not event["after"] else f"record {event['after']}"
    return (f"{words.who(event.function)} read {words.count(event['count'], 'record')}"
            f" after {after}<br>{event['behind_ms']:,} ms behind the tip")


def _lay_out(figure: go.Figure, names: list[str], scale: Scale, sentence: str) -> None:
    title = textwrap.wrap(sentence, 44)
    top = 40 + 20 * len(title)
    legend = 50 + 20 * len(figure.data)  # one entry a line, on a phone
    height = top + (58 if len(names) <= 8 else 34) * len(names) + legend + 10
    figure.update_layout(
        title={"text": "<br>".join(title), "font": {"size": 15}, "x": 0, "xref": "container",
               "xanchor": "left", "pad": {"l": 8}, "y": 1 - 22 / height, "yref": "container",
               "yanchor": "top"},
        barmode="overlay", bargap=0, hovermode="closest", height=height,
        margin={"t": top, "b": legend, "l": 60, "r": 14},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom",
                "xref": "container", "x": 0.02, "itemclick": False, "itemdoubleclick": False},
        xaxis=scale.axis(),
        yaxis={"showgrid": False, "zeroline": False, "fixedrange": True,
               "range": [len(names) - 0.3, -0.7], "tickmode": "array",
               "tickvals": list(range(len(names))), "ticktext": names})


def _sentence(name: str, found: list[Progress]) -> str:
    number = len({p.shard_id for p in found})
    puts = sum(len(p.puts) for p in {p.shard_id: p for p in found}.values())
    text = f"Stream {name}: {words.count(puts, 'record')} put into {words.count(number, 'shard')}."
    for reader in dict.fromkeys(p.reader for p in found if p.reader is not None):
        rows = [p for p in found if p.reader == reader]
        read = sum(e["count"] for p in rows for e in p.reads)
        calls = sum(len(p.reads) for p in rows)
        left = sum(b[-1].records for p in rows if (b := p.backlog()))
        who = words.who(reader)
        text += (f" {who[0].upper()}{who[1:]} read {words.count(read, 'record')} in"
                 f" {words.count(calls, 'GetRecords call')} and has {left:,} left.")
    unread = [p.shard_id for p in found if p.reader is None and p.puts]
    if unread:
        text += f" Nobody has read {words.listing([f'shard {_short(s)}' for s in unread])}."
    return text


def _rows(shown: list[Progress], names: list[str], scale: Scale) -> list[list[str]]:
    rows = []
    for name, row in zip(names, shown, strict=True):
        backlog = row.backlog()
        for event in sorted((*row.puts, *row.reads), key=lambda e: (e.at, e.number)):
            left = next((b.records for b in reversed(backlog) if b.at <= event.at), 0)
            if event.kind == "record.put":
                rows.append([name, "put", scale.since(event.at), str(event["sequence_number"]),
                             str(left), words.who(event.function, event["via"])])
            else:
                numbers = f"{event['after'] + 1} to {event['upto']}" if event["count"] else "none"
                rows.append([name, "read", scale.since(event.at), numbers, str(left),
                             words.who(event.function)])
    return rows
