// usage: node csds.mjs HOST:PORT CA_FILE TOKEN fetch|stream REQUESTS     (CA_FILE "-": in clear)
// Asks the client status discovery service with each request of a list in JSON, and prints the answers to each as a
// line of JSON, a list; where it is refused, the last of them is {"refused": CODE, "words": TEXT}.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const programs = process.env.NODE_PROGRAMS;
const load = createRequire(`${programs}/`);
const grpc = load("@grpc/grpc-js");
const roots = ["envoy-api", "xds", "googleapis", "protoc-gen-validate"];
const definition = load("@grpc/proto-loader").loadSync(
  ["envoy/service/status/v3/csds.proto", "envoy/config/listener/v3/listener.proto",
   "envoy/config/cluster/v3/cluster.proto", "envoy/config/endpoint/v3/endpoint.proto"],
  { keepCase: true, longs: Number, enums: String, json: true,
    includeDirs: roots.map((root) => `${programs}/node_modules/@grpc/grpc-js-xds/deps/${root}`) });
const { ClientStatusDiscoveryService } = grpc.loadPackageDefinition(definition).envoy.service.status.v3;

const [address, ca, token, manner, requests] = process.argv.slice(2);
const credentials = ca === "-" ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(readFileSync(ca));
const client = new ClientStatusDiscoveryService(address, credentials, {
  "grpc.ssl_target_name_override": "xds.marchproxy.internal", "grpc.default_authority": "xds.marchproxy.internal" });
const metadata = new grpc.Metadata();
if (token) metadata.set("authorization", `Bearer ${token}`);
const limit = () => ({ deadline: Date.now() + 20000 });
// Contents as text, so that a test can look for words in them.
const readable = (name, value) => (value?.type === "Buffer" ? Buffer.from(value.data).toString("latin1") : value);
const refusal = (fault) => ({ refused: fault.code, words: fault.details });

const fetchOne = (request) => new Promise((done) => client.FetchClientStatus(
  request, metadata, limit(), (fault, answer) => done([fault ? refusal(fault) : answer])));

function streamOne(request) {
  const stream = client.StreamClientStatus(metadata, limit());
  const heard = [];
  return new Promise((done) => {
    stream.on("data", (answer) => heard.push(answer));
    stream.on("error", (fault) => done([...heard, refusal(fault)]));
    stream.on("end", () => done(heard));
    stream.write(request);
    stream.end();
  });
}

for (const request of JSON.parse(requests)) {
  console.log(JSON.stringify(await (manner === "fetch" ? fetchOne : streamOne)(request), readable));
}
client.close();
