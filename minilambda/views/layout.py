"""Where the nodes and edges of a layered drawing go: a thin door to the library grandalf.

Stands for nothing of AWS's. The layout is Sugiyama's: edges point away from the first layer, with few
crossings, and long ones pass between other nodes. grandalf breaks ties by the memory address of its
nodes; numbers in their place make the drawing the same in every run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import SugiyamaLayout

Point = tuple[float, float]
ROUNDS = 3  # of putting a layer's nodes into a better order
LAYER, ROW = 1.0, 1.0  # distance of layers, and of neighbours in one
ALONE_ROW = 4  # so many nodes without an edge stand side by side


@dataclass(slots=True)
class Drawing:
    """Points (layer, row): ``nodes`` by number, ``paths`` by edge, each from its source's node to
    its target's. ``layers`` and ``rows``: how much room it takes."""

    nodes: dict[int, Point] = field(default_factory=dict)
    paths: dict[tuple[int, int], list[Point]] = field(default_factory=dict)
    layers: float = 0.0
    rows: float = 0.0


def layered(number: int, edges: list[tuple[int, int]]) -> Drawing:
    """Lay out nodes 0 to ``number`` - 1: layers count from 0 (sources), rows from 0.

    Parts that have no edge between them are put one below the other, the biggest first; nodes
    without any edge come last. Edges from a node to itself are left out.
    """
    edges = list(dict.fromkeys((a, b) for a, b in edges if a != b))
    vertices = [_Vertex(n) for n in range(number)]
    lines = [_Edge(vertices[a], vertices[b], n) for n, (a, b) in enumerate(edges)]
    ends = {line: edge for line, edge in zip(lines, edges, strict=True)}
    drawing = Drawing()
    parts = sorted(Graph(vertices, lines).C, key=lambda p: (-len(p.sV), min(v.data for v in p.sV)))
    for part in (p for p in parts if len(p.sV) > 1):
        layout = SugiyamaLayout(part)
        layout.xspace = layout.yspace = 0
        layout.init_all()
        layout.draw(ROUNDS)
        across = [v.view.xy[0] for v in part.sV]
        layers = {y: n for n, y in enumerate(sorted({v.view.xy[1] for v in part.sV}))}

        def place(point: Point, left: float = min(across), top: float = drawing.rows,
                  layers: dict[float, int] = layers) -> Point:
            return layers[point[1]] * LAYER, top + (point[0] - left) * ROW

        for vertex in part.sV:
            drawing.nodes[vertex.data] = place(vertex.view.xy)
        for line in part.sE:
            path = [place(point) for point in line.view.path]
            source = drawing.nodes[ends[line][0]]
            drawing.paths[ends[line]] = path if path[0] == source else path[::-1]
        drawing.layers = max(drawing.layers, (len(layers) - 1) * LAYER)
        lowest = max(row for path in drawing.paths.values() for _, row in path)
        drawing.rows = max(lowest, max(row for _, row in drawing.nodes.values())) + ROW
    alone = [v.data for p in parts if len(p.sV) == 1 for v in p.sV]
    for n, vertex in enumerate(alone):
        drawing.nodes[vertex] = n % ALONE_ROW * LAYER, drawing.rows + n // ALONE_ROW * ROW
        drawing.layers = max(drawing.layers, n % ALONE_ROW * LAYER)
    drawing.rows = max((row for _, row in drawing.nodes.values()), default=0.0) + ROW
    return drawing


class _View:
    """What grandalf asks of a node: how big it is; and tells it: where it is."""

    w = h = 1
    xy = (0.0, 0.0)


class _Path:
    """What it tells an edge: the points that it goes through."""

    path: list[Point]

    def setpath(self, points: list[Point]) -> None:
        self.path = list(points)


class _Vertex(Vertex):
    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)
        self.view = _View()

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class _Edge(Edge):
    def __init__(self, source: Vertex, target: Vertex, number: int) -> None:
        self.number = number
        super().__init__(source, target)
        self.view = _Path()

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other
