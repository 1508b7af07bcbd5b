// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What ShareChannels uses of Uniswap's Permit2, at its canonical address
/// @dev ISignatureTransfer of Permit2; the signature may be EIP-2098.
interface IPermit2 {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    function permitWitnessTransferFrom(
        PermitTransferFrom memory permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}
