#include "fleet/options.hpp"

#include "base/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace mp::fleet {
namespace {

constexpr const char* key_variable = "MARCHPROXY_CLUSTER_KEY";
constexpr std::size_t largest_file = 1 << 20;  // bytes

struct Texts {
  std::string key_file;
  std::string ca_file;
  std::string certificate_file;
  std::string certificate_key_file;
  std::string variant = "delta";
  std::string form = "table";
  int duration = 30;
  int patience = 120;
  int pause = 200;
  bool reconnect = false;
};

std::string content_of(const std::string& flag, const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.size() > largest_file) throw CLI::ValidationError(flag, "cannot read " + path);
  return text;
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

void add_flags(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("--xds", options.target.address, "HOST:PORT of the discovery server")->required();
  app.add_option("--cluster-key-file", texts.key_file,
                 "File that holds the cluster's key (MARCHPROXY_CLUSTER_KEY is the key itself)");
  app.add_option("--xds-ca-file", texts.ca_file, "PEM file of its authority; without it: no TLS");
  app.add_option("--xds-server-name", options.target.tls.server_name,
                 "Name in its certificate (xds.marchproxy.internal)");
  app.add_option("--xds-certificate-file", texts.certificate_file,
                 "PEM file of the certificate that the proxies show (xds.client_ca)");
  app.add_option("--xds-key-file", texts.certificate_key_file, "PEM file of that one's key");
  app.add_option("--proxies", options.proxies, "Streams (100)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000}));
  app.add_option("--variant", texts.variant, "delta or state-of-the-world")
      ->check(CLI::IsMember({"delta", "state-of-the-world"}));
  app.add_option("--type", options.proxy_type, "egress or ingress")
      ->check(CLI::IsMember({"egress", "ingress"}));
  app.add_option("--node-prefix", options.node_prefix, "Of the node ids (fleet-)");
  app.add_option("--streams-per-connection", options.target.per_connection,
                 "Streams that share a TCP connection (1)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100}));
  app.add_option("--duration", texts.duration, "Seconds to watch changes, once all are ready (30)")
      ->check(CLI::Range(0, 86'400));
  app.add_option("--ready-timeout", texts.patience, "Seconds until all must be ready (120)")
      ->check(CLI::Range(1, 86'400));
  app.add_option("--pause", texts.pause, "Milliseconds without a response that part changes (200)")
      ->check(CLI::Range(10, 60'000));
  app.add_flag("--reconnect", texts.reconnect, "At the end let all reconnect, and measure that");
  app.add_option("-o,--output", texts.form, "table or json, an object a line")
      ->check(CLI::IsMember({"table", "json"}));
}

Secret cluster_key(const Texts& texts) {
  if (!texts.key_file.empty())
    return Secret(without_line_end(content_of("--cluster-key-file", texts.key_file)));
  const char* key = std::getenv(key_variable);
  if (key == nullptr || *key == '\0')
    throw CLI::RequiredError("--cluster-key-file, or the variable MARCHPROXY_CLUSTER_KEY,");
  return Secret(key);
}

void read_tls(net::ClientTls& tls, const Texts& texts) {
  if (texts.certificate_file.empty() != texts.certificate_key_file.empty())
    throw CLI::ValidationError("--xds-certificate-file and --xds-key-file belong together");
  if (!texts.certificate_file.empty() && texts.ca_file.empty())
    throw CLI::ValidationError("--xds-certificate-file needs --xds-ca-file");
  if (texts.ca_file.empty()) return;
  tls.ca_pem = content_of("--xds-ca-file", texts.ca_file);
  if (texts.certificate_file.empty()) return;
  tls.certificate_pem = content_of("--xds-certificate-file", texts.certificate_file);
  tls.key_pem = Secret(content_of("--xds-key-file", texts.certificate_key_file));
}

void complete(Options& options, const Texts& texts) {
  options.target.cluster_key = cluster_key(texts);
  read_tls(options.target.tls, texts);
  options.variant = texts.variant == "delta" ? Variant::Delta : Variant::StateOfTheWorld;
  options.form = texts.form == "json" ? Form::Json : Form::Table;
  options.duration = std::chrono::seconds{texts.duration};
  options.patience = std::chrono::seconds{texts.patience};
  options.pause = std::chrono::milliseconds{texts.pause};
  options.at_end = texts.reconnect ? AtEnd::Reconnect : AtEnd::Stop;
}

}  // namespace

Parsed parse(int count, const char* const* arguments) {
  Parsed parsed;
  Texts texts;
  CLI::App app{"Simulates a fleet of Envoys; marchctl fleet simulate runs it.", "marchproxy-fleet"};
  app.set_version_flag("--version", "marchproxy-fleet " + std::string(version));
  add_flags(app, parsed.options, texts);
  try {
    app.parse(count, arguments);
    complete(parsed.options, texts);
  } catch (const CLI::Success& done) {
    parsed.exit = app.exit(done);
  } catch (const CLI::Error& error) {
    std::fprintf(stderr, "marchproxy-fleet: %s\n", error.what());
    parsed.exit = 2;
  }
  return parsed;
}

}  // namespace mp::fleet
