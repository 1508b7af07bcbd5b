// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "./IShareChannels.sol";

/// @title PayWord: what a preimage of a keccak256 chain is worth, the same as protocol/payword.ts
library TickChain {
    /// @dev Hashing 256 words costs about as much as half a claim.
    uint256 internal constant MAX_TICKS = 256;

    /// @notice Units that the tick voucher allows with this preimage. Reverts if it is none of its chain.
    function ceilingOf(IShareChannels.TickClaim calldata item) internal pure returns (uint256) {
        if (item.ticks > MAX_TICKS) revert IShareChannels.TooManyTicks(MAX_TICKS, item.ticks);
        if (item.index > item.ticks) revert IShareChannels.TickBeyondChain(item.ticks, item.index);
        bytes32 word = item.preimage;
        uint256 steps = item.index;
        assembly ("memory-safe") {
            mstore(0, word)
            for {} steps { steps := sub(steps, 1) } { mstore(0, keccak256(0, 0x20)) }
            word := mload(0)
        }
        if (word != item.anchor) revert IShareChannels.NotOfThisChain(item.anchor, word);
        return uint256(item.base) + uint256(item.index) * item.tickValue;
    }
}
