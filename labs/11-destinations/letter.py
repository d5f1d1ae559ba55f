def handler(event, context):
    if "street" not in event:
        raise ValueError(f"no street in {event['town']}")
    return "sent"
