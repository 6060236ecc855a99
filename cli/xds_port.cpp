#include "cli/xds_port.hpp"

#include "cli/failure.hpp"
#include "cli/look.hpp"

#include <boost/json.hpp>

#include <filesystem>

namespace mp::cli {
namespace {

namespace json = boost::json;

const json::value& first_of(const json::array& list) {
  static const json::value none;
  return list.empty() ? none : list.front();
}

// A bootstrap for gRPC clients says all of it, and registers nothing.
Request question(const Secret& cluster_key, const ClientFiles& files) {
  Request request{.path = "^/api/v1/proxy/grpc-bootstrap",
                  .query = {{"node_id", "marchctl"}},
                  .cluster_key = cluster_key};
  const auto add = [&](const char* name, const std::string& file) {
    if (!file.empty()) request.query.emplace_back(name, std::filesystem::absolute(file).string());
  };
  add("certificate_file", files.certificate);
  add("key_file", files.key);
  return request;
}

PortTrust trust_of(const json::value& credentials) {
  if (text_at(credentials, "type") != "tls") return PortTrust::NoTls;
  const bool own = !text_at(credentials, "config.ca_certificate_file").empty();
  return own ? PortTrust::Own : PortTrust::Others;
}

}  // namespace

std::string XdsPort::host() const {
  std::string host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

XdsPort find_xds_port(Client& client, const Secret& cluster_key, const ClientFiles& files) {
  Answer answer;
  try {
    answer = client.call(question(cluster_key, files));
  } catch (const Refused& refusal) {
    if (refusal.status == 401)
      throw Failure(Exit::Refused, client.account().server + " does not know this cluster key");
    if (text_at(refusal.error, "details.field") != "certificate_file") throw;
    throw wrong_usage(
        "the xDS port asks for a client certificate: --xds-certificate-file and --xds-key-file "
        "are required");
  }
  const json::value& server = first_of(list_at(answer.data, "xds_servers"));
  XdsPort port{.address = text_at(server, "server_uri"),
               .trust = trust_of(first_of(list_at(server, "channel_creds")))};
  if (port.address.empty())
    throw Failure(Exit::Unreachable,
                  client.account().server + " does not say where proxies connect: give --xds");
  return port;
}

std::string authority_of(Client& client) {
  const Answer answer = client.call({.path = "/certificates/ca", .expects = Expect::Text});
  return std::string(answer.data.get_string());
}

}  // namespace mp::cli
