// Who may pass: what the callers of one mapping can prove, by source and protocol. Used by intent
// (which decides it), route and listener (which turn it into Envoy's terms). A guard that names
// nobody admits nobody.
#pragma once

#include "xds/directory.hpp"
#include "xds/snapshot.hpp"

namespace mp::xds {

struct Guard {
  enum class Kind { Open, Named };
  Kind kind = Kind::Named;
  std::vector<std::string> addresses;  // literal, sorted, none twice
  Parties tokens;                      // services whose JWT admits
  Parties keys;                        // services whose API key admits
  Parties certificates;                // services whose client certificate admits
  bool open() const { return kind == Kind::Open; }
  bool nobody() const {
    return !open() && addresses.empty() && tokens.empty() && keys.empty() && certificates.empty();
  }
};

// What carries the traffic decides what can be proved; Tls is TLS that is passed through untouched.
enum class Carrier { Http, Tcp, Tls, Udp };
std::string_view name_of(Carrier carrier);

// `reasons` says in sentences which callers cannot prove anything, and why.
struct Verdict {
  Guard guard;
  std::vector<std::string> reasons;
};

// Who may pass to `targets` by this mapping. Without auth_required everybody does, unless all
// sources have literal addresses; with it a caller proves to be one of `sources`, or, where the
// mapping's source is `any`, that it holds a credential of one of `targets`.
Verdict judge(const Mapping& mapping, const Parties& sources, const Parties& targets,
              Carrier carrier);

}  // namespace mp::xds
