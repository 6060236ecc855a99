// Where a manager has its proxies connect, as it tells whoever shows a cluster's key. Used by fleet
// simulate for what its flags leave out.
#pragma once

#include "cli/client.hpp"

#include <string>

namespace mp::cli {

// Whose authority vouches for the port's certificate (xds.tls auto, files and off).
enum class PortTrust { Own, Others, NoTls };

struct XdsPort {
  std::string address;  // "host:18000"
  PortTrust trust = PortTrust::NoTls;

  std::string host() const;  // without port and brackets
};

// Files on this machine, which the manager only wants to know of when xds.client_ca is set.
struct ClientFiles {
  std::string certificate;
  std::string key;
};

// Throws Failure (Usage) when the port asks for a client certificate and there is none.
XdsPort find_xds_port(Client& client, const Secret& cluster_key, const ClientFiles& files);

// The certificates of the manager's own authority, PEM. Only who is signed in may see them.
std::string authority_of(Client& client);

}  // namespace mp::cli
