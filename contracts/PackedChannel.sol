// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "./IShareChannels.sol";

/// @title A channel's state in one word: deposit, claimed, exitAt, closed from the lowest bit up
/// @dev Solidity would pack the struct the same way, but reads and writes the slot once for each field.
library PackedChannel {
    function load(mapping(bytes32 => uint256) storage words, bytes32 id)
        internal
        view
        returns (IShareChannels.Channel memory channel)
    {
        return unpack(words[id]);
    }

    function unpack(uint256 word) internal pure returns (IShareChannels.Channel memory channel) {
        channel.deposit = uint64(word);
        channel.claimed = uint64(word >> 64);
        channel.exitAt = uint40(word >> 128);
        channel.closed = uint8(word >> 168) != 0;
    }

    function store(mapping(bytes32 => uint256) storage words, bytes32 id, IShareChannels.Channel memory channel)
        internal
    {
        uint256 closed = channel.closed ? 1 : 0;
        words[id] =
            uint256(channel.deposit) | uint256(channel.claimed) << 64 | uint256(channel.exitAt) << 128 | closed << 168;
    }
}
