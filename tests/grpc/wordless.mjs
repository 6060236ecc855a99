// usage: node wordless.mjs PORT TARGET
// Stands between Envoy and a manager at TARGET, both in clear, and takes the words out of every refusal that it carries
// on: error_detail keeps its code and loses its message. Writes a line of JSON for each response, {"type", "sent":
// [NAME...]}, and for each refusal, {"type", "words": what they were}; the type is the last part of its URL.
import { createRequire } from "node:module";

const grpc = createRequire(`${process.env.NODE_PROGRAMS}/`)("@grpc/grpc-js");
const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
// The numbers of the fields, in service/discovery/v3/discovery.proto.
const METHODS = {
  StreamAggregatedResources: { requestType: 4, error: 6, responseType: 4, resources: 2, name: [2, 1] },
  DeltaAggregatedResources: { requestType: 2, error: 7, responseType: 4, resources: 2, name: [3] },
};
const STATUS_MESSAGE = 2; // google.rpc.Status

function varint(bytes, at) {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at];
  }
}

function asVarint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

// The fields of a message: their number, all their bytes, and of those with a length what is in them.
function* fieldsOf(message) {
  for (let at = 0; at < message.length;) {
    const [tag, start] = varint(message, at);
    let [length, end] = tag % 8 === 2 || tag % 8 === 0 ? varint(message, start) : [0, start + (tag % 8 === 1 ? 8 : 4)];
    const inside = message.subarray(end, tag % 8 === 2 ? (end += length) : end);
    yield { number: Math.floor(tag / 8), bytes: message.subarray(at, end), tag, inside };
    at = end;
  }
}

const insidesOf = (message, number) =>
  [...fieldsOf(message)].filter((field) => field.number === number).map((field) => field.inside);
const typeOf = (message, number) => insidesOf(message, number)[0]?.toString().split(".").pop();
const tell = (what) => console.log(JSON.stringify(what));

function withoutWords(request, method) {
  return Buffer.concat([...fieldsOf(request)].map((field) => {
    if (field.number !== method.error) return field.bytes;
    tell({ type: typeOf(request, method.requestType), words: insidesOf(field.inside, STATUS_MESSAGE).join("") });
    const rest = [...fieldsOf(field.inside)].filter((each) => each.number !== STATUS_MESSAGE);
    const status = Buffer.concat(rest.map((each) => each.bytes));
    return Buffer.concat([asVarint(field.tag), asVarint(status.length), status]);
  }));
}

function note(response, method) {
  const sent = insidesOf(response, method.resources).map((resource) =>
    method.name.reduce((inside, number) => insidesOf(inside, number)[0], resource).toString());
  tell({ type: typeOf(response, method.responseType), sent });
}

const [port, target] = process.argv.slice(2);
const bytes = (value) => value;
const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
const client = new grpc.Client(target, grpc.credentials.createInsecure(), unlimited);

function carry(name) {
  return (call) => {
    const onward = client.makeBidiStreamRequest(SERVICE + name, bytes, bytes, call.metadata);
    call.on("data", (request) => onward.write(withoutWords(request, METHODS[name])));
    call.on("end", () => onward.end());
    call.on("cancelled", () => onward.cancel());
    onward.on("data", (response) => {
      note(response, METHODS[name]);
      call.write(response);
    });
    onward.on("error", (fault) => call.emit("error", fault));
    onward.on("end", () => call.end());
  };
}

const server = new grpc.Server(unlimited);
const names = Object.keys(METHODS);
server.addService(
  Object.fromEntries(names.map((name) => [name, {
    path: SERVICE + name, requestStream: true, responseStream: true,
    requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes }])),
  Object.fromEntries(names.map((name) => [name, carry(name)])));
server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (fault) => {
  if (fault) throw fault;
  console.log("ready");
});
