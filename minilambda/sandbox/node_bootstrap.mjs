// Runs inside an execution environment: loads a Node.js handler and speaks the Runtime API.
//
// Stands for: the Node.js runtime's bootstrap. AWS pages: "Define Lambda function handler in
// Node.js", "Log and monitor Node.js Lambda functions". Nothing but Node's own modules is used.
// Leaves out: response streaming; virtual time (setTimeout and Date are the machine's; log lines and
// the remaining time are the cloud's).
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import util from "node:util";

const CLOCK_FD = 4;
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const root = process.env.LAMBDA_TASK_ROOT;
let requestId = "undefined";
let settle = null; // ends the invocation that is going on

function cloudMillis() {
  const page = Buffer.alloc(24); // as cloud_time.PAGE
  fs.readSync(CLOCK_FD, page, 0, 24, 0);
  const rate = page.readDoubleLE(16);
  const passed = rate ? Number(process.hrtime.bigint() - page.readBigInt64LE(8)) * rate : 0;
  return (Number(page.readBigInt64LE(0)) + passed) / 1e6;
}

function call(method, name, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime${name}`,
      headers: body === undefined ? headers
        : { ...headers, "Content-Length": Buffer.byteLength(body) } }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers,
        body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function write(level, text) {
  const at = new Date(cloudMillis()).toISOString();
  // A carriage return, not a newline, keeps the whole message one event of the log.
  fs.writeSync(1, `${at}\t${requestId}\t${level}\t${text.replaceAll("\n", "\r")}\n`);
}

for (const [name, level] of [["log", "INFO"], ["debug", "DEBUG"], ["info", "INFO"],
  ["warn", "WARN"], ["error", "ERROR"], ["trace", "TRACE"]]) {
  console[name] = (...items) => write(level, util.format(...items));
}

class Fault extends Error {
  constructor(kind, message, stack) {
    super(message);
    this.name = kind;
    if (stack) this.stack = stack;
  }
}

// What a function threw, in the shape AWS reports it; anything may be thrown.
function shape(error) {
  if (error instanceof Error || util.types.isNativeError(error)) {
    return { errorType: error.name, errorMessage: error.message,
      trace: (error.stack ?? "").split("\n") };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

async function report(name, error, what) {
  const found = shape(error);
  const { trace, ...rest } = found;
  write("ERROR", `${what}\t${JSON.stringify({ ...rest, stack: trace })}`);
  await call("POST", name, JSON.stringify(found), { "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": found.errorType });
}

async function load(handler) {
  const found = /^(.*\/)?([^/.]+)\.(.+)$/.exec(handler);
  if (!found) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  const base = path.join(root, found[1] ?? "", found[2]);
  const file = [".js", ".mjs", ".cjs"].map((end) => base + end).find((name) => fs.existsSync(name));
  let loaded;
  try {
    if (!file) createRequire(path.join(root, "index.js"))(base); // for its words
    loaded = await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new Fault("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`, error.stack);
    }
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      const message = file ? error.message
        : `Cannot find module '${found[2]}'\nRequire stack:\n- /var/runtime/index.mjs`;
      throw new Fault("Runtime.ImportModuleError", `Error: ${message}`, error.stack);
    }
    throw error;
  }
  const pick = (from) => found[3].split(".").reduce((value, name) => value?.[name], from);
  const picked = pick(loaded) ?? pick(loaded.default);
  if (picked === undefined) {
    throw new Fault("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  }
  if (typeof picked !== "function") {
    throw new Fault("Runtime.HandlerNotFound", `${handler} is not a function`);
  }
  return picked;
}

function contextOf(headers, done) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    clientContext: client ? JSON.parse(client) : undefined,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Math.round(cloudMillis())),
    done, succeed: (result) => done(null, result), fail: (error) => done(error ?? "handled"),
  };
}

// The handler's result: what it returns a promise of, or hands to the callback.
function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    settle = resolve;
    const finish = (error, result) => (error === null || error === undefined
      ? resolve(result) : reject(error));
    let context;
    const callback = (error, result) => {
      if (context.callbackWaitsForEmptyEventLoop) settle = () => finish(error, result);
      else finish(error, result);
    };
    context = contextOf(headers, finish);
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
  });
}

// Nothing is left to happen: whoever still waited gets what there is (null, without a callback).
process.on("beforeExit", () => settle?.(undefined));

for (const [name, kind, status] of [["uncaughtException", null, 129],
  ["unhandledRejection", "Runtime.UnhandledPromiseRejection", 128]]) {
  process.on(name, async (error) => {
    settle = null;
    const told = kind ? new Fault(kind, String(error), error?.stack) : error;
    await report(`/invocation/${requestId}/error`, told, kind ? "Unhandled Promise Rejection "
      : "Uncaught Exception ");
    process.exit(status);
  });
}

let handler;
try {
  handler = await load(process.env._HANDLER);
} catch (error) {
  await report("/init/error", error, "Uncaught Exception ");
  process.exit(1);
}
for (;;) {
  const { headers, body } = await call("GET", "/invocation/next");
  requestId = headers["lambda-runtime-aws-request-id"];
  if (headers["lambda-runtime-trace-id"]) {
    process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  }
  const name = `/invocation/${requestId}`;
  let failure = null;
  try {
    const result = await run(handler, JSON.parse(body), headers);
    settle = null;
    const reply = await call("POST", `${name}/response`, JSON.stringify(result) ?? "null");
    if (reply.status === 413) {
      const { errorType, errorMessage } = JSON.parse(reply.body);
      failure = new Fault(errorType, errorMessage);
    }
  } catch (error) {
    failure = error ?? new Error(String(error));
  }
  settle = null;
  // (Of a result that is too large the Runtime API knows already: then this only writes the log.)
  if (failure !== null) await report(`${name}/error`, failure, "Invoke Error ");
}
