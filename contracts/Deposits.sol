// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChannelDigests} from "./ChannelDigests.sol";
import {Earnings} from "./Earnings.sol";
import {IPermit2} from "./IPermit2.sol";
import {IToken} from "./IToken.sol";
import {PackedChannel} from "./PackedChannel.sol";
import {TokenTransfer} from "./TokenTransfer.sol";

/// @title How money gets into a channel: pulled, or by the payer's signature of one of three standards
abstract contract Deposits is ChannelDigests, Earnings {
    using PackedChannel for mapping(bytes32 => uint256);
    using TokenTransfer for address;

    /// @notice The longest a payee may make a payer wait.
    uint256 public constant MAX_EXIT_DELAY = 30 days;
    /// @notice Permit2 has this address on every chain that has it.
    address public constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;
    /// @dev The text that Permit2 puts after its own; protocol/permit.ts has the same.
    string private constant WITNESS_TYPE =
        "ChannelDeposit witness)ChannelDeposit(bytes32 channelId)TokenPermissions(address token,uint256 amount)";
    bytes32 private constant WITNESS_TYPEHASH = keccak256("ChannelDeposit(bytes32 channelId)");

    mapping(bytes32 id => uint256 word) internal _channels;

    function open(ChannelConfig calldata config, uint64 amount) external returns (bytes32 id) {
        _requirePayer(config, msg.sender);
        id = _channelId(config);
        _deposit(id, config, amount);
        token.pull(config.payer, amount);
    }

    function openWithAuthorization(
        ChannelConfig calldata config,
        uint64 amount,
        uint256 validAfter,
        uint256 validBefore,
        uint256 n,
        Signature calldata signature
    ) external returns (bytes32 id) {
        id = _channelId(config);
        _deposit(id, config, amount);
        uint256 held = token.held();
        (uint8 v, bytes32 r, bytes32 s) = _split(signature);
        IToken(token)
            .receiveWithAuthorization(
                config.payer, address(this), amount, validAfter, validBefore, _depositNonce(id, n), v, r, s
            );
        token.requireHeld(held + amount);
    }

    function openWithPermit(
        ChannelConfig calldata config,
        uint64 deposit,
        uint256 deadline,
        Signature calldata permitSignature,
        Signature calldata openSignature
    ) external returns (bytes32 id) {
        id = _channelId(config);
        if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp);
        _requirePayer(config, _signer(_openDigest(id, deposit, deadline), openSignature));
        uint64 before = _channels.load(id).deposit;
        if (deposit <= before) revert DepositNotIncreased(before, deposit);
        _openWithPermit(id, config, deposit - before, deadline, permitSignature);
    }

    function openWithPermit2(
        ChannelConfig calldata config,
        uint64 amount,
        uint256 deadline,
        uint256 n,
        Signature calldata signature
    ) external returns (bytes32 id) {
        id = _channelId(config);
        _deposit(id, config, amount);
        uint256 held = token.held();
        IPermit2(PERMIT2)
            .permitWitnessTransferFrom(
                IPermit2.PermitTransferFrom(
                    IPermit2.TokenPermissions(token, amount), uint256(_depositNonce(id, n)), deadline
                ),
                IPermit2.SignatureTransferDetails(address(this), amount),
                config.payer,
                keccak256(abi.encode(WITNESS_TYPEHASH, id)),
                WITNESS_TYPE,
                abi.encode(signature)
            );
        token.requireHeld(held + amount);
    }

    /// @dev permit may fail because someone relayed it first; then the allowance is there, and else pull fails.
    function _openWithPermit(
        bytes32 id,
        ChannelConfig calldata config,
        uint64 amount,
        uint256 deadline,
        Signature calldata permitSignature
    ) private {
        _deposit(id, config, amount);
        (uint8 v, bytes32 r, bytes32 s) = _split(permitSignature);
        try IToken(token).permit(config.payer, address(this), amount, deadline, v, r, s) {} catch {}
        token.pull(config.payer, amount);
    }

    function _deposit(bytes32 id, ChannelConfig calldata config, uint64 amount) private {
        uint256 word = _channels[id];
        if (amount == 0) revert ZeroAmount();
        if (block.timestamp >= config.expiry) revert ChannelExpired(config.expiry, block.timestamp);
        if (word != 0) return _topUp(id, word, amount);
        if (!_hasParties(config)) revert MissingParty();
        if (config.exitDelay > MAX_EXIT_DELAY) revert ExitDelayTooLong(MAX_EXIT_DELAY, config.exitDelay);
        _channels[id] = amount;
        emit Opened(
            id,
            config.payee,
            config.device,
            config.payer,
            config.signer,
            config.expiry,
            config.exitDelay,
            config.salt,
            amount
        );
    }

    /// @dev The deposit is the lowest 64 bits of the word: adding to it needs no unpacking.
    function _topUp(bytes32 id, uint256 word, uint64 amount) private {
        uint256 deposit = uint256(uint64(word)) + amount;
        if (word >> 128 != 0) _refuseTopUp(id, PackedChannel.unpack(word));
        if (deposit > type(uint64).max) revert DepositTooLarge(type(uint64).max, deposit);
        _channels[id] = word + amount;
        emit ToppedUp(id, uint64(deposit));
    }

    function _refuseTopUp(bytes32 id, Channel memory channel) private pure {
        if (channel.closed) revert ChannelIsClosed(id);
        revert ChannelIsExiting(id, channel.exitAt);
    }

    function _requirePayer(ChannelConfig calldata config, address who) internal pure {
        if (who != config.payer) revert NotPayer(config.payer, who);
    }

    function _hasParties(ChannelConfig calldata config) internal pure returns (bool) {
        return config.payer != address(0) && config.signer != address(0) && config.payee != address(0);
    }
}
