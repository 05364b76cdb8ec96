// SPDX-License-Identifier: Apache-2.0
#include "linnet/io/checkpoint_records.h"

#include <array>
#include <cereal/archives/portable_binary.hpp>
#include <cstring>
#include <sstream>
#include <streambuf>

#include "linnet/core/error.h"

namespace linnet::io {
namespace {

enum class Kind : std::uint8_t { tensor = 0, integer = 1, real = 2, text = 3, state = 4 };

constexpr int kDeepest = 32;  ///< nested states
constexpr std::size_t kMostEntries =
    10'000;                                 ///< of one state: looking for a repeated name compares all pairs
constexpr std::size_t kMostInAll = 50'000;  ///< bounds what a hostile file makes us allocate
constexpr std::size_t kSmallestEntry = 8 + 1 + 2;  ///< length of the name, kind, the smallest value

class Encoder {
 public:
  explicit Encoder(NamedTensors& tensors) : tensors_(tensors) {}

  void state(const State& state, const std::string& prefix, int depth) {
    check<StateError>(depth < kDeepest, "io::save: ", prefix, ": states are nested more than ", kDeepest,
                      " deep.");
    check<StateError>(state.size() <= kMostEntries, "io::save: ", prefix.empty() ? "the state" : prefix, ": ",
                      state.size(), " entries; at most ", kMostEntries, ".");
    entries_ += state.size();
    check<StateError>(entries_ <= kMostInAll, "io::save: more than ", kMostInAll, " entries in all.");
    archive_(static_cast<std::uint32_t>(state.size()));
    for (const auto& [name, value] : state) {
      text(name);
      entry(value, prefix.empty() ? name : prefix + "/" + name, depth);
    }
  }

  std::vector<std::byte> bytes() const {
    const std::string text = stream_.str();
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }

 private:
  void entry(const StateValue& value, const std::string& full_name, int depth) {
    if (value.is_tensor()) {
      archive_(Kind::tensor);
      tensor(value.tensor(), full_name);
    } else if (value.is_integer()) {
      archive_(Kind::integer, value.integer());
    } else if (value.is_real()) {
      archive_(Kind::real, value.real());
    } else if (value.is_text()) {
      archive_(Kind::text);
      text(value.text());
    } else {
      archive_(Kind::state);
      state(value.state(), full_name, depth + 1);
    }
  }

  void tensor(const Tensor& tensor, const std::string& full_name) {
    check<StateError>(tensor.defined(), "io::save: ", full_name, ": the tensor is undefined.");
    archive_(tensor.dtype(), static_cast<std::uint8_t>(tensor.rank()));
    for (const std::int64_t size : tensor.shape()) archive_(size);
    tensors_.emplace_back(full_name, tensor);
  }

  void text(const std::string& text) {
    archive_(cereal::make_size_tag(static_cast<cereal::size_type>(text.size())));
    archive_(cereal::binary_data(text.data(), text.size()));
  }

  NamedTensors& tensors_;
  std::size_t entries_ = 0;
  std::ostringstream stream_;
  cereal::PortableBinaryOutputArchive archive_{stream_};
};

/// A stream over bytes in memory that knows how many are left.
class ByteBuffer : public std::streambuf {
 public:
  explicit ByteBuffer(std::span<const std::byte> bytes) {
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    setg(begin, begin, begin + bytes.size());
  }
  std::size_t left() const { return static_cast<std::size_t>(egptr() - gptr()); }
  std::size_t position() const { return static_cast<std::size_t>(gptr() - eback()); }
};

// cereal is never trusted with a size: every count and length is compared with what is left before it is
// used.
class Decoder {
 public:
  Decoder(std::span<const std::byte> bytes, const std::string& where, const MakeTensor& make_tensor)
      : where_(where), make_tensor_(make_tensor), buffer_(bytes) {}

  State state(const std::string& prefix, int depth) {
    require(depth < kDeepest, "states are nested more than ", kDeepest, " deep");
    const auto count = value<std::uint32_t>();
    require(count <= kMostEntries && count <= buffer_.left() / kSmallestEntry, count, " entries do not fit");
    entries_ += count;
    require(entries_ <= kMostInAll, "more than ", kMostInAll, " entries in all");
    State state;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string name = text();
      require(!state.has(name), "the name '", name, "' is there twice");
      state.set(name, entry(prefix.empty() ? name : prefix + "/" + name, depth));
    }
    return state;
  }

  void finish() const { require(buffer_.left() == 0, buffer_.left(), " bytes are left over"); }

 private:
  template <class... Parts>
  void require(bool ok, const Parts&... parts) const {
    check<IoError>(ok, where_, "the records are not valid at byte ", buffer_.position(), ": ", parts..., ".");
  }

  template <class T>
  T value() {
    require(buffer_.left() >= sizeof(T), "they end too early");
    T read;
    archive_(read);
    return read;
  }

  StateValue entry(const std::string& full_name, int depth) {
    const auto kind = value<std::uint8_t>();
    switch (static_cast<Kind>(kind)) {
      case Kind::tensor:
        return tensor(full_name);
      case Kind::integer:
        return value<std::int64_t>();
      case Kind::real:
        return value<double>();
      case Kind::text:
        return text();
      case Kind::state:
        return state(full_name, depth + 1);
    }
    require(false, "'", full_name, "' has the unknown kind ", int{kind});
    return 0;
  }

  Tensor tensor(const std::string& full_name) {
    const auto dtype = value<std::uint8_t>(), rank = value<std::uint8_t>();
    require(dtype < kDTypes, "'", full_name, "' has the unknown element type ", int{dtype});
    require(rank <= Shape::kMaxRank, "'", full_name, "' has ", int{rank}, " axes");
    std::array<std::int64_t, Shape::kMaxRank> sizes{};
    for (int axis = 0; axis < rank; ++axis) {
      sizes[static_cast<std::size_t>(axis)] = value<std::int64_t>();
      require(sizes[static_cast<std::size_t>(axis)] >= 0, "'", full_name, "' has a negative size");
    }
    try {
      const Shape shape(std::span<const std::int64_t>(sizes).first(rank));
      return make_tensor_(full_name, shape, static_cast<DType>(dtype));
    } catch (const ShapeError& error) {
      require(false, "'", full_name, "': ", error.what());
      throw;
    }
  }

  std::string text() {
    require(buffer_.left() >= sizeof(cereal::size_type), "they end too early");
    cereal::size_type length = 0;
    archive_(cereal::make_size_tag(length));
    require(length <= buffer_.left(), "a text of ", length, " bytes, ", buffer_.left(), " are left");
    std::string text(length, '\0');
    archive_(cereal::binary_data(text.data(), text.size()));
    return text;
  }

  const std::string& where_;
  const MakeTensor& make_tensor_;
  std::size_t entries_ = 0;
  ByteBuffer buffer_;
  std::istream stream_{&buffer_};
  cereal::PortableBinaryInputArchive archive_{stream_};
};

}  // namespace

std::vector<std::byte> encode_records(const State& state, NamedTensors& tensors) {
  Encoder encoder(tensors);
  encoder.state(state, "", 0);
  return encoder.bytes();
}

State decode_records(std::span<const std::byte> bytes, const std::string& where,
                     const MakeTensor& make_tensor) {
  // The first byte is cereal's mark for the byte order of the writer.
  check<IoError>(!bytes.empty() && bytes[0] == std::byte{1}, where,
                 "the records are not valid at byte 0: no mark of a little-endian archive.");
  try {
    Decoder decoder(bytes, where, make_tensor);
    State state = decoder.state("", 0);
    decoder.finish();
    return state;
  } catch (const cereal::Exception& error) {
    fail<IoError>(where, "the records are not valid: ", error.what(), ".");
  }
}

}  // namespace linnet::io
