// SPDX-License-Identifier: Apache-2.0
#pragma once
// CRC-32C (Castagnoli, polynomial 1EDC6F41, reflected), as in iSCSI (RFC 3720): finds every error of up to
// three bits in sections of our sizes. Private to io/.

#include <cstddef>
#include <cstdint>
#include <span>

namespace linnet::io {

/// The checksum of what came before (0 at the start) followed by `bytes`.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace linnet::io
