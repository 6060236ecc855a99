// What 5,000 pushes and their answers cost without a protocol, a state or a configuration: the
// floor of bench/streams.py. As many TCP connections over loopback, 500 bytes there and 100 back,
// two threads at each end.
#include <benchmark/benchmark.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t push_bytes = 500;
constexpr std::size_t answer_bytes = 100;
constexpr std::size_t threads_of_an_end = 2;

int must(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

class Socket {
 public:
  explicit Socket(int handle) : handle_(must(handle, "socket")) {}
  Socket(Socket&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}
  ~Socket() {
    if (handle_ >= 0) ::close(handle_);
  }
  int handle() const { return handle_; }

 private:
  int handle_;
};

// Connections of one thread.
class Part {
 public:
  void add(Socket socket) {
    const int on = 1;
    ::setsockopt(socket.handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = socket.handle()}};
    must(::epoll_ctl(events_.handle(), EPOLL_CTL_ADD, socket.handle(), &event), "epoll_ctl");
    sockets_.push_back(std::move(socket));
  }
  std::size_t size() const { return sockets_.size(); }

  void push() {
    const std::array<char, push_bytes> bytes{};
    for (const Socket& socket : sockets_)
      must(static_cast<int>(::send(socket.handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL)),
           "send");
  }
  void take_answers() {
    for (std::size_t bytes = 0; bytes < sockets_.size() * answer_bytes;)
      for (const auto& [socket, count] : received()) bytes += count;
  }
  void answer(std::size_t pushes) {
    const std::array<char, answer_bytes> bytes{};
    for (std::size_t done = 0; done < pushes;) {
      for (const auto& [socket, count] : received()) {
        must(static_cast<int>(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL)), "send");
        ++done;
      }
    }
  }

 private:
  std::vector<std::pair<int, std::size_t>> received() {
    std::array<epoll_event, 128> ready{};
    const int count = must(::epoll_wait(events_.handle(), ready.data(), ready.size(), -1), "wait");
    std::vector<std::pair<int, std::size_t>> result;
    for (int at = 0; at < count; ++at) {
      std::array<char, 1024> into;
      const int socket = ready[static_cast<std::size_t>(at)].data.fd;
      const auto bytes =
          must(static_cast<int>(::recv(socket, into.data(), into.size(), MSG_DONTWAIT)), "recv");
      result.emplace_back(socket, static_cast<std::size_t>(bytes));
    }
    return result;
  }

  Socket events_{::epoll_create1(0)};
  std::vector<Socket> sockets_;
};

struct Fleet {
  std::array<Part, threads_of_an_end> servers, clients;

  explicit Fleet(std::size_t connections) {
    rlimit limit{.rlim_cur = 65'536, .rlim_max = 65'536};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const Socket door{::socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    must(::bind(door.handle(), place, size), "bind");
    must(::listen(door.handle(), 128), "listen");
    must(::getsockname(door.handle(), place, &size), "getsockname");
    for (std::size_t at = 0; at < connections; ++at) {
      Socket client{::socket(AF_INET, SOCK_STREAM, 0)};
      must(::connect(client.handle(), place, size), "connect");
      clients[at % clients.size()].add(std::move(client));
      servers[at % servers.size()].add(Socket{::accept(door.handle(), nullptr, nullptr)});
    }
  }
};

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void push_to_all(benchmark::State& state) {
  Fleet fleet(static_cast<std::size_t>(state.range(0)));
  double processor = 0;
  for (auto unused : state) {
    const double before = processor_seconds();
    const auto began = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> threads;
      for (Part& part : fleet.clients) threads.emplace_back([&part] { part.answer(part.size()); });
      for (Part& part : fleet.servers) {
        threads.emplace_back([&part] {
          part.push();
          part.take_answers();
        });
      }
    }
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    processor += processor_seconds() - before;
  }
  state.counters["processor_us_of_a_push"] = benchmark::Counter(
      processor * 1e6 / static_cast<double>(state.range(0)), benchmark::Counter::kAvgIterations);
}
BENCHMARK(push_to_all)->Arg(5'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
