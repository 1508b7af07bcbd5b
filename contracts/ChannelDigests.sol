// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "./IShareChannels.sol";

/// @title EIP-712 digests of ShareChannels, the same as protocol/channel.ts, voucher.ts, tick-voucher.ts and claim-batch.ts
/// @dev Both sides are held to test/vectors/protocol-digests.json.
abstract contract ChannelDigests {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant CHANNEL_CONFIG_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address signer,address payee,address device,uint40 expiry,uint40 exitDelay,bytes32 salt)"
    );
    bytes32 private constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 channelId,uint64 amount,uint64 ackBytes)");
    bytes32 private constant TICK_VOUCHER_TYPEHASH =
        keccak256("TickVoucher(bytes32 channelId,uint64 amount,bytes32 anchor,uint32 tickValue,uint32 ticks)");
    bytes32 private constant CLAIM_BATCH_TYPEHASH = keccak256("ClaimBatch(bytes32 root)");
    bytes32 private constant OPEN_TYPEHASH = keccak256("Open(bytes32 channelId,uint64 amount,uint256 deadline)");
    bytes32 private constant CLOSE_TYPEHASH = keccak256("Close(bytes32 channelId,uint64 amount)");
    bytes32 private constant EXIT_TYPEHASH = keccak256("Exit(bytes32 channelId,uint256 deadline)");

    bytes32 private constant HASHED_NAME = keccak256("SSP ShareChannels");
    bytes32 private constant HASHED_VERSION = keccak256("1");

    uint256 private immutable _deployedChainId;
    bytes32 private immutable _deployedSeparator;

    constructor() {
        _deployedChainId = block.chainid;
        _deployedSeparator = _computeSeparator();
    }

    /// @notice Follows the chain id, so that a fork of the chain gets digests of its own.
    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return block.chainid == _deployedChainId ? _deployedSeparator : _computeSeparator();
    }

    /// @dev Copies the seven words as they came. Words that do not fit their types give an id that never opened:
    /// opening reads every field, and Solidity reverts on those.
    function _channelId(IShareChannels.ChannelConfig calldata config) internal view returns (bytes32) {
        bytes32 typeHash = CHANNEL_CONFIG_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 0x20), config, 0xe0)
            structHash := keccak256(free, 0x100)
        }
        return _typedDigest(structHash);
    }

    function _voucherDigest(bytes32 id, uint64 amount, uint64 ackBytes) internal view returns (bytes32) {
        return _typedDigest(_hash4(VOUCHER_TYPEHASH, id, bytes32(uint256(amount)), bytes32(uint256(ackBytes))));
    }

    function _tickVoucherDigest(bytes32 id, uint64 amount, bytes32 anchor, uint32 tickValue, uint32 ticks)
        internal
        view
        returns (bytes32)
    {
        return _typedDigest(keccak256(abi.encode(TICK_VOUCHER_TYPEHASH, id, amount, anchor, tickValue, ticks)));
    }

    /// @param root keccak256 of bytes32 channelId || uint256 amount, claim after claim
    function _claimBatchDigest(bytes32 root) internal view returns (bytes32) {
        return _typedDigest(keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, root)));
    }

    function _openDigest(bytes32 id, uint64 amount, uint256 deadline) internal view returns (bytes32) {
        return _typedDigest(_hash4(OPEN_TYPEHASH, id, bytes32(uint256(amount)), bytes32(deadline)));
    }

    function _closeDigest(bytes32 id, uint64 amount) internal view returns (bytes32) {
        return _typedDigest(keccak256(abi.encode(CLOSE_TYPEHASH, id, amount)));
    }

    function _exitDigest(bytes32 id, uint256 deadline) internal view returns (bytes32) {
        return _typedDigest(keccak256(abi.encode(EXIT_TYPEHASH, id, deadline)));
    }

    /// @dev EIP-3009 nonce of a deposit. The token keeps it from being used twice.
    function _depositNonce(bytes32 id, uint256 n) internal pure returns (bytes32) {
        return keccak256(abi.encode(id, n));
    }

    /// @dev Zero if the signature recovers to nothing; no party of an open channel is zero.
    function _signer(bytes32 digest, IShareChannels.Signature calldata signature) internal pure returns (address) {
        (uint8 v, bytes32 r, bytes32 s) = _split(signature);
        return ecrecover(digest, v, r, s);
    }

    /// @dev EIP-2098: the top bit of vs is the parity, the rest is s.
    function _split(IShareChannels.Signature calldata signature) internal pure returns (uint8 v, bytes32 r, bytes32 s) {
        uint256 vs = uint256(signature.vs);
        return (uint8(27 + (vs >> 255)), signature.r, bytes32(vs & (type(uint256).max >> 1)));
    }

    function _typedDigest(bytes32 structHash) private view returns (bytes32 digest) {
        bytes32 separator = DOMAIN_SEPARATOR();
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, hex"1901")
            mstore(add(free, 0x02), separator)
            mstore(add(free, 0x22), structHash)
            digest := keccak256(free, 0x42)
        }
    }

    function _hash4(bytes32 a, bytes32 b, bytes32 c, bytes32 d) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, a)
            mstore(add(free, 0x20), b)
            mstore(add(free, 0x40), c)
            mstore(add(free, 0x60), d)
            hash := keccak256(free, 0x80)
        }
    }

    function _computeSeparator() private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, HASHED_NAME, HASHED_VERSION, block.chainid, address(this)));
    }
}
