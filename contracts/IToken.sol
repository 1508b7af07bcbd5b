// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The signature standards that a token may have: EIP-2612 and EIP-3009
/// @dev The calls of ERC-20 itself are in TokenTransfer: their return values differ between tokens.
interface IToken {
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
}
