// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChannelDigests} from "./ChannelDigests.sol";
import {Earnings} from "./Earnings.sol";
import {IShareChannels} from "./IShareChannels.sol";
import {IToken} from "./IToken.sol";
import {PackedChannel} from "./PackedChannel.sol";
import {TokenTransfer} from "./TokenTransfer.sol";

/// @title Prepaid channels between WiFi guests and the owners of routers; described in IShareChannels
/// @dev Always: the token's balance here = sum of (deposit - claimed) over open channels + sum of earned + feePot.
/// No owner, no proxy, no pause. Checks, then effects, then the one call to the token.
contract ShareChannels is ChannelDigests, Earnings {
    using PackedChannel for mapping(bytes32 => uint256);
    using TokenTransfer for address;

    /// @notice The longest a payee may make a payer wait.
    uint256 public constant MAX_EXIT_DELAY = 30 days;

    mapping(bytes32 id => uint256 word) private _channels;

    constructor(address token_, uint256 feeBasisPoints_) Earnings(token_, feeBasisPoints_) {}

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

    function claim(Claim[] calldata claims) external {
        for (uint256 i = 0; i < claims.length; i++) {
            Claim calldata item = claims[i];
            _requirePayeeOrDevice(item.config, msg.sender);
            bytes32 id = _channelId(item.config);
            Channel memory channel = _channels.load(id);
            if (channel.closed || (item.amount <= channel.claimed && channel.deposit != 0)) continue;
            if (channel.deposit == 0) revert ChannelNotOpen(id);
            _earn(id, channel, item);
            channel.claimed = item.amount;
            _channels.store(id, channel);
        }
    }

    function close(Claim calldata finalClaim) external {
        _requirePayeeOrDevice(finalClaim.config, msg.sender);
        _closeClaiming(_channelId(finalClaim.config), finalClaim);
    }

    function closeWithSignature(Claim calldata finalClaim, Signature calldata closeSignature) external {
        bytes32 id = _channelId(finalClaim.config);
        _requirePayeeOrDevice(finalClaim.config, _signer(_closeDigest(id, finalClaim.amount), closeSignature));
        _closeClaiming(id, finalClaim);
    }

    function requestExit(ChannelConfig calldata config) external {
        _requirePayer(config, msg.sender);
        _requestExit(_channelId(config), config.exitDelay);
    }

    function requestExitWithSignature(ChannelConfig calldata config, uint256 deadline, Signature calldata signature)
        external
    {
        if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp);
        bytes32 id = _channelId(config);
        _requirePayer(config, _signer(_exitDigest(id, deadline), signature));
        _requestExit(id, config.exitDelay);
    }

    function reclaim(ChannelConfig calldata config) external {
        bytes32 id = _channelId(config);
        Channel memory channel = _openChannel(id);
        uint256 earliest = _reclaimableAt(config.expiry, channel.exitAt);
        if (block.timestamp < earliest) revert NotReclaimableYet(earliest, block.timestamp);
        _closeRefunding(id, channel, config.payer);
    }

    function channelId(ChannelConfig calldata config) external view returns (bytes32) {
        return _channelId(config);
    }

    function channels(bytes32 id) external view returns (Channel memory) {
        return _channels.load(id);
    }

    function reclaimableAt(ChannelConfig calldata config) external view returns (uint256) {
        return _reclaimableAt(config.expiry, _channels.load(_channelId(config)).exitAt);
    }

    function canOpen(ChannelConfig calldata config, uint64 amount) external view returns (bool) {
        Channel memory channel = _channels.load(_channelId(config));
        return amount != 0 && _hasParties(config) && config.exitDelay <= MAX_EXIT_DELAY
            && block.timestamp < config.expiry && !channel.closed && channel.exitAt == 0
            && amount <= type(uint64).max - channel.deposit;
    }

    function canClaim(Claim calldata item, address sender) external view returns (bool) {
        bytes32 id = _channelId(item.config);
        Channel memory channel = _channels.load(id);
        return _isOpen(channel) && _isPayeeOrDevice(item.config, sender) && item.amount > channel.claimed
            && _isCovered(id, channel, item);
    }

    function canClose(Claim calldata item, address sender) external view returns (bool) {
        bytes32 id = _channelId(item.config);
        Channel memory channel = _channels.load(id);
        return _isOpen(channel) && _isPayeeOrDevice(item.config, sender)
            && (item.amount == channel.claimed || (item.amount > channel.claimed && _isCovered(id, channel, item)));
    }

    function canRequestExit(ChannelConfig calldata config) external view returns (bool) {
        Channel memory channel = _channels.load(_channelId(config));
        return _isOpen(channel) && channel.exitAt == 0;
    }

    function canReclaim(ChannelConfig calldata config) external view returns (bool) {
        Channel memory channel = _channels.load(_channelId(config));
        return _isOpen(channel) && block.timestamp >= _reclaimableAt(config.expiry, channel.exitAt);
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
        Channel memory channel = _channels.load(id);
        if (amount == 0) revert ZeroAmount();
        if (block.timestamp >= config.expiry) revert ChannelExpired(config.expiry, block.timestamp);
        if (channel.deposit != 0) return _topUp(id, channel, amount);
        if (!_hasParties(config)) revert MissingParty();
        if (config.exitDelay > MAX_EXIT_DELAY) revert ExitDelayTooLong(MAX_EXIT_DELAY, config.exitDelay);
        channel.deposit = amount;
        _channels.store(id, channel);
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

    function _topUp(bytes32 id, Channel memory channel, uint64 amount) private {
        if (channel.closed) revert ChannelIsClosed(id);
        if (channel.exitAt != 0) revert ChannelIsExiting(id, channel.exitAt);
        uint256 deposit = uint256(channel.deposit) + amount;
        if (deposit > type(uint64).max) revert DepositTooLarge(type(uint64).max, deposit);
        channel.deposit = uint64(deposit);
        _channels.store(id, channel);
        emit ToppedUp(id, uint64(deposit));
    }

    /// @dev Books claim.amount - claimed to the payee; the caller stores the new claimed.
    function _earn(bytes32 id, Channel memory channel, Claim calldata item) private {
        if (item.amount > item.ceiling) revert AmountAboveCeiling(item.ceiling, item.amount);
        if (item.amount > channel.deposit) revert AmountAboveDeposit(channel.deposit, item.amount);
        address signedBy = _signer(_voucherDigest(id, item.ceiling, item.ackBytes), item.signature);
        if (signedBy != item.config.signer) revert WrongSigner(item.config.signer, signedBy);
        uint64 delta = item.amount - channel.claimed;
        earned[item.config.payee] += delta;
        emit Claimed(id, item.config.device, delta, item.amount);
    }

    function _closeClaiming(bytes32 id, Claim calldata finalClaim) private {
        Channel memory channel = _openChannel(id);
        uint64 amount = finalClaim.amount;
        if (amount < channel.claimed) revert AmountBelowClaimed(channel.claimed, amount);
        if (amount > channel.claimed) {
            _earn(id, channel, finalClaim);
            channel.claimed = amount;
        }
        _closeRefunding(id, channel, finalClaim.config.payer);
    }

    function _closeRefunding(bytes32 id, Channel memory channel, address payer) private {
        channel.closed = true;
        _channels.store(id, channel);
        uint64 refund = channel.deposit - channel.claimed;
        emit Closed(id, channel.claimed, refund);
        if (refund != 0) token.send(payer, refund);
    }

    function _requestExit(bytes32 id, uint40 exitDelay) private {
        Channel memory channel = _openChannel(id);
        if (channel.exitAt != 0) revert ChannelIsExiting(id, channel.exitAt);
        channel.exitAt = uint40(block.timestamp) + exitDelay;
        _channels.store(id, channel);
        emit ExitRequested(id, channel.exitAt);
    }

    function _openChannel(bytes32 id) private view returns (Channel memory channel) {
        channel = _channels.load(id);
        if (channel.deposit == 0) revert ChannelNotOpen(id);
        if (channel.closed) revert ChannelIsClosed(id);
    }

    function _requirePayer(ChannelConfig calldata config, address who) private pure {
        if (who != config.payer) revert NotPayer(config.payer, who);
    }

    function _requirePayeeOrDevice(ChannelConfig calldata config, address who) private pure {
        if (!_isPayeeOrDevice(config, who)) revert NotPayeeOrDevice(config.payee, config.device, who);
    }

    /// @dev Zero is what a bad signature recovers to; a channel without a device names zero as its device.
    function _isPayeeOrDevice(ChannelConfig calldata config, address who) private pure returns (bool) {
        return who != address(0) && (who == config.device || who == config.payee);
    }

    function _isCovered(bytes32 id, Channel memory channel, Claim calldata item) private view returns (bool) {
        return item.amount <= item.ceiling && item.amount <= channel.deposit
            && _signer(_voucherDigest(id, item.ceiling, item.ackBytes), item.signature) == item.config.signer;
    }

    function _hasParties(ChannelConfig calldata config) private pure returns (bool) {
        return config.payer != address(0) && config.signer != address(0) && config.payee != address(0);
    }

    function _isOpen(Channel memory channel) private pure returns (bool) {
        return channel.deposit != 0 && !channel.closed;
    }

    function _reclaimableAt(uint40 expiry, uint40 exitAt) private pure returns (uint256) {
        return exitAt != 0 && exitAt < expiry ? exitAt : expiry;
    }
}
