// usage: node server.mjs NAME...
// A gRPC server for each name, on a port of its own; prints {"NAME": port, ...} as one line of JSON and serves until it
// is ended. /test.Demo/Ask answers with the name, /test.Demo/Refuse with status 7, /test.Demo/Chat sends each message
// back behind the name, as it comes. grpc.health.v1.Health answers SERVING, for "sick" NOT_SERVING.
import { createRequire } from "node:module";

const grpc = createRequire(`${process.env.NODE_PROGRAMS}/`)("@grpc/grpc-js");
const bytes = (value) => value;
const method = (path, streams) => ({
  path, requestStream: streams, responseStream: streams,
  requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes,
});

function serve(name) {
  const server = new grpc.Server();
  server.addService(
    { Ask: method("/test.Demo/Ask", false), Refuse: method("/test.Demo/Refuse", false),
      Chat: method("/test.Demo/Chat", true), Check: method("/grpc.health.v1.Health/Check", false) },
    {
      Ask: (call, answer) => answer(null, Buffer.from(name)),
      Refuse: (call, answer) => answer({ code: 7, details: `${name} says no` }),
      Chat: (call) => {
        call.on("data", (message) => call.write(Buffer.from(`${name}: ${message}`)));
        call.on("end", () => call.end());
      },
      // HealthCheckResponse.status: SERVING 1, NOT_SERVING 2.
      Check: (call, answer) => answer(null, Buffer.from([0x08, name === "sick" ? 2 : 1])),
    });
  const credentials = grpc.ServerCredentials.createInsecure();
  return new Promise((done, fail) => server.bindAsync(
    "127.0.0.1:0", credentials, (fault, port) => (fault ? fail(fault) : done([name, port]))));
}

const ports = await Promise.all(process.argv.slice(2).map(serve));
console.log(JSON.stringify(Object.fromEntries(ports)));
