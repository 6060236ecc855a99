// A client on the gRPC library of the distribution, for tests: calls a method for each line that it
// reads and says how it went in one line, "ok TEXT" or "CODE MESSAGE".
//
// usage: grpc-client TARGET     (such as xds:///greeter; GRPC_XDS_BOOTSTRAP names the bootstrap)
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr std::chrono::seconds patience{5};

std::string text_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const auto& slice : slices) text.append(slice.begin(), slice.end());
  return text;
}

std::string call(grpc::GenericStub& stub, const std::string& method) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + patience);
  grpc::CompletionQueue queue;
  grpc::ByteBuffer answer;
  grpc::Status status;
  const auto reader = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(nullptr, 0), &queue);
  reader->StartCall();
  reader->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (status.ok()) return "ok " + text_of(answer);
  return std::to_string(status.error_code()) + " " + status.error_message();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  grpc::GenericStub stub(grpc::CreateChannel(arguments[1], grpc::InsecureChannelCredentials()));
  std::string method;
  while (std::getline(std::cin, method)) std::cout << call(stub, method) << std::endl;
}
