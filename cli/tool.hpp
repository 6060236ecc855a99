// What every command works with: the options that all of them have, the console, the client of the
// manager that is meant, and the kept sign-ins.
#pragma once

#include "cli/client.hpp"
#include "cli/console.hpp"
#include "cli/contexts.hpp"
#include "cli/show.hpp"

#include <functional>
#include <memory>

namespace CLI {
class App;
}

namespace mp::cli {

struct Globals {
  std::string server;
  std::string token;
  std::string token_file;
  std::string ca_file;
  std::string context;
  std::string output = "table";
  int retry_for = 60;
};

// A manager's address, and the authority of its certificate.
struct Server {
  std::string address;
  std::string ca_file;
};

class Tool {
 public:
  Tool();

  Globals globals;
  Console console;
  const SystemClock clock{};
  Contexts contexts;
  // The command that the command line means; it gives the exit code.
  std::function<Exit()> chosen;

  Form form() const;
  // Made once. Throws Failure (Usage) when no server is known or nobody is signed in to it.
  Client& client();
  // For the manager that is meant, whether anybody is signed in to it or not.
  Client visitor();
  // For a server without a credential, as signing in needs it.
  Client stranger(const std::string& server, const std::string& ca_file);
  // The context that is meant, when its sign-in is what the commands use.
  std::optional<Context> context() const;
  // Keeps the newest change for `marchctl wait`.
  void remember(std::int64_t revision);

 private:
  Server server_of(const std::optional<Context>& kept) const;
  Account find_account();
  Outside outside(Transport& transport, std::function<void(const Account&)> renewed);

  std::vector<std::unique_ptr<Transport>> transports_;
  std::unique_ptr<Client> client_;
  std::string ca_file_;
  std::optional<Context> used_;  // the kept sign-in that the client uses
};

// "http://host:8000" without slashes at the end. Throws Failure (Usage).
std::string checked_server(std::string server);

}  // namespace mp::cli
