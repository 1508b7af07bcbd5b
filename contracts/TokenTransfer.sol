// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "./IShareChannels.sol";

/// @title Transfers of tokens old and new: returning true, or nothing, is success; anything else is not
/// @dev The token is known to have code: ShareChannels checks that once, at deployment. Calls are put together by hand,
/// in memory above the free pointer: every deposit makes three of them.
library TokenTransfer {
    bytes4 private constant BALANCE_OF = bytes4(keccak256("balanceOf(address)"));
    bytes4 private constant TRANSFER = bytes4(keccak256("transfer(address,uint256)"));
    bytes4 private constant TRANSFER_FROM = bytes4(keccak256("transferFrom(address,address,uint256)"));

    function send(address token, address to, uint256 amount) internal {
        bytes4 selector = TRANSFER;
        uint256 data;
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), to)
            mstore(add(data, 0x24), amount)
        }
        _requireAccepted(token, data, 0x44);
    }

    function pull(address token, address from, uint256 amount) internal {
        uint256 before = held(token);
        bytes4 selector = TRANSFER_FROM;
        uint256 data;
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), from)
            mstore(add(data, 0x24), address())
            mstore(add(data, 0x44), amount)
        }
        _requireAccepted(token, data, 0x64);
        requireHeld(token, before + amount);
    }

    /// @dev What was to be received must have arrived: a token may take a fee of its own, or have a fallback that
    /// accepts any call, EIP-3009 on a token without it among them, and moves nothing.
    function requireHeld(address token, uint256 expected) internal view {
        uint256 got = held(token);
        if (got < expected) revert IShareChannels.TokenUnderpaid(expected, got);
    }

    /// @dev This contract's balance.
    function held(address token) internal view returns (uint256 units) {
        bytes4 selector = BALANCE_OF;
        bool answered;
        assembly ("memory-safe") {
            mstore(0, selector)
            mstore(0x04, address())
            let success := staticcall(gas(), token, 0, 0x24, 0, 0x20)
            answered := and(success, gt(returndatasize(), 0x1f))
            units := mload(0)
        }
        if (!answered) revert IShareChannels.TokenRefused();
    }

    /// @dev Copies at most 32 bytes of what comes back, so that a token cannot make us pay for its memory.
    function _requireAccepted(address token, uint256 data, uint256 length) private {
        bool accepted;
        assembly ("memory-safe") {
            let success := call(gas(), token, 0, data, length, 0, 0x20)
            accepted := and(success, or(iszero(returndatasize()), and(gt(returndatasize(), 0x1f), eq(mload(0), 1))))
        }
        if (!accepted) revert IShareChannels.TokenRefused();
    }
}
