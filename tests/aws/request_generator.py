"""Requests made up from botocore's model of the Lambda API: valid ones, and others.

A seeded generator of raw HTTP: what boto3 would refuse to send is sent too. What answers say (ids,
ARNs, revisions) comes back in later requests, so that many of them are about something that exists.
"""

import base64
import json
import string
from urllib.parse import quote, urlencode

import botocore.session

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAMINILAMBDA000000/20200302/eu-west-2/"
          "lambda/aws4_request, SignedHeaders=host, Signature=0"}
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/lambda-role"
FUNCTION = f"arn:aws:lambda:eu-west-2:{ACCOUNT}:function:"
QUEUE, STREAM = f"arn:aws:sqs:eu-west-2:{ACCOUNT}:q", f"arn:aws:kinesis:eu-west-2:{ACCOUNT}:stream/s"
# What sensible callers write, by the member's name.
SENSIBLE = {
    "FunctionName": ["f0", "f1", "f2", "new", FUNCTION + "f0", f"{ACCOUNT}:function:f1", "f0:1", "f1:live",
                     "f0:$LATEST", "none"],
    "Qualifier": ["1", "2", "live", "$LATEST", "none"], "Name": ["live", "beta"],
    "FunctionVersion": ["1", "2", "$LATEST", "ALL"], "Runtime": ["python3.8", "nodejs12.x"],
    "Role": [ROLE, ROLE + "x"], "Handler": ["app.handler"], "StatementId": ["one", "two"],
    "Action": ["lambda:InvokeFunction", "lambda:GetLayerVersion"],
    "Principal": ["s3.amazonaws.com", ACCOUNT, "*"], "SourceArn": ["arn:aws:s3:::b"],
    "LayerName": ["l0", "l1"], "Layers": [[f"arn:aws:lambda:eu-west-2:{ACCOUNT}:layer:l0:1"], []],
    "VersionNumber": [1, 2], "EventSourceArn": [QUEUE, STREAM, QUEUE + "none"], "Enabled": [False],
    "StartingPosition": ["LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"], "BatchSize": [1, 10, 100],
    "Resource": [FUNCTION + "f0", FUNCTION + "f1:1"], "Timeout": [3, 30], "MemorySize": [128, 256],
    "Environment": [{"Variables": {"STAGE": "dev"}}, {}], "Tags": [{"a": "1"}, {}],
    "AllowedPublishers": [{"SigningProfileVersionArns": [
        f"arn:aws:signer:eu-west-2:{ACCOUNT}:/signing-profiles/p"]}],
    "RoutingConfig": [{"AdditionalVersionWeights": {"2": 0.5}}, {}],
    "Filters": [[{"Pattern": '{"body": {"a": [1]}}'}], [{"Pattern": "{"}]],
    "InvocationType": ["RequestResponse", "DryRun"], "LogType": ["Tail", "None"],
    "Code": [{"S3Bucket": "code", "S3Key": "app.zip"}], "S3Bucket": ["code"], "S3Key": ["app.zip"], "PackageType": ["Zip"], "MaxItems": [1, 50],
}
# Operations that take much away: less often, or nothing would be left to ask about.
_RARE = {"DeleteFunction": 0.15, "DeleteLayerVersion": 0.3, "DeleteEventSourceMapping": 0.3}
_USUAL = {"Enabled", "EventSourceArn", "Runtime", "Handler", "ZipFile"}  # optional, and mostly there
_STRANGE = ["", " ", "\x00", "é" * 3, "𝄞", "x" * 300, "../..", "%2F", "a/b", "-1", "NaN", "{}", "'", '"',
            "$LATEST", "null", "arn:aws:lambda", ":" * 9, "\n", "0" * 40]
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
_BODIES = [b"", b"{", b"[]", b"null", b"42", b'"text"', b"\xff\xfe", b'{"a":', b"{}" * 3,
           b'{"Timeout": 1e999}', b'{"FunctionName": NaN}', b"[" * 5000, b'{"Code": {"ZipFile": "?"}}']


class Generator:
    """``choose`` is a ``random.Random``; ``archive`` the bytes of a deployment package."""

    def __init__(self, choose, archive):
        self.choose, self.known = choose, {name: list(values) for name, values in SENSIBLE.items()}
        self.known["ZipFile"] = [base64.b64encode(archive).decode()] * 3 + ["AAAA", "?", ""]
        self.service = botocore.session.get_session().get_service_model("lambda")
        self.names = self.service.operation_names
        self.missing = set()  # operations that were answered by "not implemented": less often
        self.sober = False

    def request(self):
        """(operation's name, method, path, headers, body)."""
        name = self.choose.choice(self.names)
        if self.choose.random() > _RARE.get(name, 0.15 if name in self.missing else 1):
            name = self.choose.choice(["CreateFunction", "CreateEventSourceMapping", "AddPermission",
                                       "UpdateFunctionCode", "UpdateFunctionConfiguration"])
        self.sober = self.choose.random() < 0.5
        operation = self.service.operation_model(name)
        method, path, query, headers, body = self._valid(operation)
        trouble = self.choose.random()
        if trouble < 0.04:
            method = self.choose.choice(_METHODS)
        elif trouble < 0.08:
            path = self._strange_path(path)
        elif trouble < 0.13:
            body = self.choose.choice(_BODIES)
        elif trouble < 0.16:
            body = body[:self.choose.randrange(len(body) + 1)]
        elif trouble < 0.18:
            headers["Content-Type"] = self.choose.choice(["text/plain", "application/xml", "x"])
        return name, method, path + ("?" + query if query else ""), headers, body

    def learn(self, answer):
        """Remember what a JSON answer tells."""
        for name, value in _strings(answer):
            if name in ("UUID", "CodeSigningConfigArn", "RevisionId", "CodeSha256", "NextMarker",
                        "EventSourceMappingArn", "RuntimeVersionArn", "LayerVersionArn"):
                for member in {"NextMarker": ["Marker"], "LayerVersionArn": ["Arn"],
                               "EventSourceMappingArn": ["Resource"],
                               "CodeSigningConfigArn": ["CodeSigningConfigArn", "Resource"],
                               }.get(name, [name]):
                    kept = self.known.setdefault(member, [])
                    kept.append(value)
                    del kept[:-6]

    def _valid(self, operation):
        shape, path = operation.input_shape, operation.http["requestUri"]
        query, headers, body, payload = [], dict(SIGNED), {}, None
        for name, member in (shape.members.items() if shape else ()):
            if name not in shape.required_members and not self._has(name):
                continue
            if name in shape.required_members and self.choose.random() < 0.02:
                continue
            value = self._value(name, member)
            where = member.serialization.get("location")
            key = member.serialization.get("name", name)
            if where == "uri":
                path = path.replace("{%s}" % key, quote(str(value), safe=""))
            elif where == "querystring":
                many = value if isinstance(value, list) else [value]
                query += [(key, str(item)) for item in many]
            elif where == "header":
                headers[key] = quote(str(value), safe=string.printable[:94])
            elif where is None and shape.serialization.get("payload") == name:
                payload = value
            elif where is None:
                body[key] = value
        path = path.replace("{", "").replace("}", "")
        if payload is not None:
            data = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
        else:
            data = json.dumps(body).encode() if body or self.choose.random() < 0.5 else b""
        return operation.http["method"], path.split("?")[0], urlencode(query), headers, data

    def _has(self, name):
        """Whether an optional member is there."""
        share = 0.9 if name in _USUAL else 0.08 if self.sober else 0.3
        return self.choose.random() < share

    def _strange_path(self, path):
        parts = path.split("/")
        parts[self.choose.randrange(len(parts))] = quote(self.choose.choice(_STRANGE), safe="/")
        if self.choose.random() < 0.3:
            parts.append(quote(self.choose.choice(_STRANGE), safe=""))
        return "/" + "/".join(parts).lstrip("/")

    def _value(self, name, shape, depth=0):
        if not self.sober and self.choose.random() < 0.03:
            return self.choose.choice([None, 0, -1, 10**30, 1.5, True, "", "x", [], {}, [None],
                                       {"x": None}, *_STRANGE])
        if self.known.get(name) and (self.sober or self.choose.random() < 0.85):
            return self.choose.choice(self.known[name])
        kind, meta = shape.type_name, shape.metadata
        if kind == "structure":
            return {n: self._value(n, m, depth + 1) for n, m in shape.members.items()
                    if depth < 4 and (n in shape.required_members or self._has(n))}
        if kind == "list":
            return [self._value("", shape.member, depth + 1)
                    for _ in range(self.choose.choice([0, 1, 1, 2, 6]) if depth < 4 else 0)]
        if kind == "map":
            return {str(self._value("", shape.key, depth + 1)): self._value("", shape.value, depth + 1)
                    for _ in range(self.choose.choice([0, 1, 2]))}
        if kind == "boolean":
            return self.choose.random() < 0.5
        if kind in ("integer", "long"):
            low, high = meta.get("min", 0), meta.get("max", 1000)
            return self.choose.choice([low, high, low - 1, high + 1, self.choose.randint(low, high)])
        if kind in ("double", "float"):
            return self.choose.choice([0.0, 1.0, -0.5, 2.0, self.choose.random()])
        if kind == "timestamp":
            return self.choose.choice([0, 1583139600, -1, 1e20, 1583139600.5])
        if kind == "blob":
            return self.choose.choice([base64.b64encode(b"x").decode(), "?", '{"a": 1}', ""])
        if meta.get("enum"):
            return self.choose.choice(meta["enum"])
        return self.choose.choice(["x", "abc", "a-b_c", self.choose.choice(_STRANGE)])


def _strings(answer, name=""):
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield from _strings(value, key)
    elif isinstance(answer, list):
        for value in answer:
            yield from _strings(value, name)
    elif isinstance(answer, str) and answer:
        yield name, answer
