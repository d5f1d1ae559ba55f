"""A file of questions of every kind, for the tests; and how a test opens what is sealed."""

import base64
import json

ONE_OF_EACH = """\
[[question]]
ask = "Which is `one`?"
  [[question.option]]
  text = "Two"
  why = "Two is more than that."
  [[question.option]]
  right = true
  text = "`One`"
  why = "One it is, as it says."
  [[question.option]]
  text = "<b>Three</b>"
  why = "Three is <i>far</i> too many."

[[question]]
ask = "Which are even – not odd?"
  [[question.option]]
  right = true
  text = "Twelve"
  why = "Twelve is six and six: ½ of 24."
  [[question.option]]
  text = "Thirteen"
  why = "Thirteen leaves one over."
  [[question.option]]
  right = true
  text = "Fourteen"
  why = "Fourteen is seven and seven."

[[question]]
ask = "How many megabytes?"
number = 1792
unit = "MB"
tolerance = 1
why = "That buys a whole processor."
otherwise = "Look at the table once more."
  [[question.near]]
  number = 1769
  why = "That is what it is today."

[[question]]
ask = "In which order?"
steps = ["Begin", "Go on", "Slow down", "Stop"]
why = "So it goes, from the start."
otherwise = "It can't stop before it began."
"""
FEEDBACK = (
    "Two is more than that", "One it is, as it says", "far</i> too many", "six and six",
    "leaves one over", "seven and seven", "buys a whole processor", "the table once more",
    "what it is today", "from the start", "before it began",
)


def unseal(text, key):
    """What questions.seal has sealed, opened by arithmetic of this test's own."""
    state = 0x811C9DC5
    for byte in key.encode():
        state = ((state ^ byte) * 0x01000193) % 2**32
    state = state or 1
    opened = []
    for byte in base64.b64decode(text):
        state = (state ^ (state << 13)) % 2**32
        state ^= state >> 17
        state = (state ^ (state << 5)) % 2**32
        opened.append(byte ^ (state % 256))
    return json.loads(bytes(opened).decode())
