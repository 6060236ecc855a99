// usage: node client.mjs TARGET [AUTHORITY [CA_FILE]]
// Calls a method for each line that it reads and says how it went in one line, "ok TEXT" or "CODE MESSAGE". A line
// "chat WORD..." holds one stream for all words. TARGET may be xds:///SERVICE; GRPC_XDS_BOOTSTRAP names the bootstrap.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import readline from "node:readline";

const load = createRequire(`${process.env.NODE_PROGRAMS}/`);
const grpc = load("@grpc/grpc-js");
load("@grpc/grpc-js-xds").register();

const [target, authority, ca] = process.argv.slice(2);
const credentials = ca ? grpc.credentials.createSsl(readFileSync(ca)) : grpc.credentials.createInsecure();
const options = authority ? { "grpc.default_authority": authority, "grpc.ssl_target_name_override": authority } : {};
const client = new grpc.Client(target, credentials, options);
const bytes = (value) => value;
const limit = () => ({ deadline: Date.now() + 5000 });
const told = (fault) => `${fault.code} ${fault.details}`.replaceAll("\n", " ");

const ask = (path) => new Promise((done) => client.makeUnaryRequest(
  path, bytes, bytes, Buffer.alloc(0), new grpc.Metadata(), limit(),
  (fault, answer) => done(fault ? told(fault) : `ok ${answer}`)));

function chat(words) {
  const stream = client.makeBidiStreamRequest("/test.Demo/Chat", bytes, bytes, new grpc.Metadata(), limit());
  const heard = [];
  return new Promise((done) => {
    stream.on("data", (message) => {
      heard.push(String(message));
      if (heard.length < words.length) stream.write(Buffer.from(words[heard.length]));
      else stream.end();
    });
    stream.on("error", (fault) => done(told(fault)));
    stream.on("end", () => done(`ok ${heard.join(", ")}`));
    stream.write(Buffer.from(words[0]));
  });
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const words = line.split(" ");
  console.log(words[0] === "chat" ? await chat(words.slice(1)) : await ask(line));
}
client.close();
