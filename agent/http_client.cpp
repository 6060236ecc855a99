#include "agent/http_client.hpp"

#include "base/curl.hpp"

#include <stdexcept>

namespace mp::agent {
namespace {

constexpr std::size_t largest_answer = 16u << 20;

std::size_t take(char* bytes, std::size_t, std::size_t size, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + size > largest_answer) return 0;
  body.append(bytes, size);
  return size;
}

}  // namespace

// The multi handle keeps the connections, so that heartbeats need no new TLS handshake.
struct HttpClient::Handles {
  CURLM* multi = curl_multi_init();
  CURL* easy = curl_easy_init();
  std::array<char, CURL_ERROR_SIZE> error{};

  Handles() {
    if (multi == nullptr || easy == nullptr) throw std::runtime_error("libcurl cannot start");
  }
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }

  void prepare(const HttpRequest& request, const Options& options, curl_slist* headers);
  bool perform(Wake& wake, HttpReply& reply) const;
};

void HttpClient::Handles::prepare(const HttpRequest& request, const Options& options,
                                  curl_slist* headers) {
  curl_easy_reset(easy);
  error[0] = '\0';
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "marchproxy-agent");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
  if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  if (options.way == Way::Direct) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (!options.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
}

// False when it was interrupted; otherwise the transfer is over and `reply.failure` says how.
bool HttpClient::Handles::perform(Wake& wake, HttpReply& reply) const {
  for (int running = 1;;) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) {
      reply.failure = "libcurl cannot go on";
      return true;
    }
    if (running == 0) break;
    std::array<curl_waitfd, 2> watched{};
    unsigned count = 0;
    for (const int descriptor : wake.descriptors()) {
      if (descriptor >= 0) watched[count++] = {descriptor, CURL_WAIT_POLLIN, 0};
    }
    curl_multi_poll(multi, watched.data(), count, 1000, nullptr);
    for (unsigned each = 0; each < count; ++each) {
      if (watched[each].revents != 0) return false;
    }
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE && message->data.result != CURLE_OK) {
      reply.failure = error[0] != '\0' ? error.data() : curl_easy_strerror(message->data.result);
    }
  }
  return true;
}

HttpClient::HttpClient(Wake& wake, Options options)
    : wake_(wake), options_(std::move(options)), handles_(std::make_unique<Handles>()) {}

HttpClient::~HttpClient() = default;

HttpReply HttpClient::send(const HttpRequest& request) {
  HttpReply reply;
  const curl::List headers = curl::list_of(request.headers);
  handles_->prepare(request, options_, headers.get());
  CURL* const easy = handles_->easy;
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply.body);
  curl_multi_add_handle(handles_->multi, easy);
  reply.interrupted = !handles_->perform(wake_, reply);
  if (reply.interrupted) reply.failure = "interrupted";
  if (reply.failure.empty()) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) reply.retry_after = std::chrono::seconds(seconds);
  }
  curl_multi_remove_handle(handles_->multi, easy);
  return reply;
}

}  // namespace mp::agent
