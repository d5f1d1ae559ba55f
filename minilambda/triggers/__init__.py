"""Services that hand events to functions and don't wait: what they send, when, and to whom.

Stands for: the asynchronous triggers of Lambda. AWS page: *Invoking Lambda with events from other AWS
services*. Nothing here knows moto: ``aws`` says what happened there.
"""
