// Where marchctl keeps servers and tokens between commands: marchctl.json in
// $XDG_CONFIG_HOME/marchproxy (mode 0600, directory 0700), replaced whole and never left half
// written.
#pragma once

#include "model/shape.hpp"

#include <filesystem>
#include <functional>

namespace mp::cli {

// A server, and who is signed in to it.
struct Context {
  std::string name;
  std::string server;
  std::string ca_file;
  std::string username;
  Secret access_token;
  std::optional<Time> access_until;
  Secret refresh_token;
  std::int64_t last_revision = 0;
};
inline constexpr std::array context_fields{
    field<&Context::name>("name", "Name of the context."),
    field<&Context::server>("server", "Address of the manager."),
    field<&Context::ca_file>("ca_file", "Authority of its certificate."),
    field<&Context::username>("username", "Who is signed in."),
    field<&Context::access_token>("access_token", "Sent with each request."),
    field<&Context::access_until>("access_until", "When it ends."),
    field<&Context::refresh_token>("refresh_token", "Makes new access tokens."),
    field<&Context::last_revision>("last_revision", "The newest change that was made here."),
};

}  // namespace mp::cli

template <>
inline constexpr mp::Description mp::describe<mp::cli::Context> = mp::part<mp::cli::Context>(
    "context", "A server, and who is signed in to it.", mp::cli::context_fields);

namespace mp::cli {

struct ContextFile {
  std::string current;
  std::vector<Context> contexts;

  Context* find(std::string_view name);
};
inline constexpr std::array context_file_fields{
    field<&ContextFile::current>("current", "The context that is used unless another is named."),
    field<&ContextFile::contexts>("contexts", "All of them."),
};

}  // namespace mp::cli

template <>
inline constexpr mp::Description mp::describe<mp::cli::ContextFile> =
    mp::part<mp::cli::ContextFile>("context_file", "Servers and tokens.",
                                   mp::cli::context_file_fields);

namespace mp::cli {

class Contexts {
 public:
  // The folder is made when something is kept. Empty: nothing can be kept.
  explicit Contexts(std::filesystem::path folder);

  // Throws Failure (Usage) when the file cannot be read or is none of ours.
  ContextFile load() const;
  // Reads, changes and replaces the file while no other marchctl does.
  void update(const std::function<void(ContextFile&)>& change);

  std::filesystem::path file() const { return folder_ / "marchctl.json"; }

 private:
  std::filesystem::path folder_;
};

// $XDG_CONFIG_HOME/marchproxy, else ~/.config/marchproxy; empty without a home.
std::filesystem::path default_folder();

}  // namespace mp::cli
