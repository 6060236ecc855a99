// Command line flags derived from a description's fields, and the JSON body that they make.
// `--tls.server-name NAME` is member server_name of the nested tls; secrets come from files or
// standard input, never from arguments.
#pragma once

#include "cli/console.hpp"
#include "model/field.hpp"

#include <boost/json/object.hpp>

#include <deque>
#include <set>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mp::cli {

enum class Purpose { Create, Change };

class FieldFlags {
 public:
  // Adds the flags to `command`, which must not outlive this.
  FieldFlags(CLI::App& command, const Description& description, Purpose purpose);

  // What was given. A secret that must be sent and was not given is asked for. Names of referenced
  // objects stay names (see names.hpp). Throws Failure (Usage).
  boost::json::object body(Console& console) const;
  bool any() const;

 private:
  enum class Kind { Value, Switch, List, File, SecretFile, SecretInput };
  struct Flag {
    std::string name;  // "--tls.server-name"
    std::vector<std::string_view> path;
    const Field* field;
    Kind kind;
    CLI::Option* option = nullptr;
    std::vector<std::string> values;
  };

  void add_all(CLI::App& command, const Description& description, Purpose purpose,
               std::vector<std::string_view>& path);
  void add(CLI::App& command, const Field& field, const std::vector<std::string_view>& path);
  void add_secret(CLI::App& command, const Field& field, const std::vector<std::string_view>& path);
  bool given(const Field& field) const;
  static boost::json::value value_of(const Flag& flag, Console& console);

  std::deque<Flag> flags_;
  std::vector<const Field*> needed_secrets_;
};

// The flag's name of a field: "cluster_id" that references a cluster is "--cluster".
std::string flag_of(const Field& field);
// "a|b" for choices, NUMBER, TEXT, FILE, JSON, CLUSTER; empty for a switch.
std::string hint_of(const Field& field);
// The text of one value as JSON. Throws Failure (Usage) naming `flag`.
boost::json::value value_of_text(const std::string& flag, const boost::json::object& schema,
                                 const std::string& text);

}  // namespace mp::cli
