import boto3

client = boto3.client("dynamodb")

def handler(event, context):
    note = {"TableName": "till", "Item": {"id": {"S": "#" + event["id"]}},
            "ConditionExpression": "attribute_not_exists(id)"}
    count = {"TableName": "till", "Key": {"id": {"S": "total"}},
             "UpdateExpression": "ADD pence :p", "ExpressionAttributeValues": {
                 ":p": {"N": str(event["pence"])}}}
    try:
        client.transact_write_items(
            TransactItems=[{"Put": note}, {"Update": count}])
    except client.exceptions.TransactionCanceledException:
        print("counted before")
    if event.get("jammed"):
        raise OSError("no bill was printed")
