// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deposits} from "./Deposits.sol";
import {Earnings} from "./Earnings.sol";
import {PackedChannel} from "./PackedChannel.sol";
import {TickChain} from "./TickChain.sol";
import {TokenTransfer} from "./TokenTransfer.sol";

/// @title Prepaid channels between WiFi guests and the owners of routers; described in IShareChannels
/// @dev Always: the token's balance here = sum of (deposit - claimed) over open channels + sum of earned + feePot.
/// No owner, no proxy, no pause. Checks, then effects, then the one call to the token.
contract ShareChannels is Deposits {
    using PackedChannel for mapping(bytes32 => uint256);
    using TokenTransfer for address;

    constructor(address token_, uint256 feeBasisPoints_) Earnings(token_, feeBasisPoints_) {}

    function claim(Claim[] calldata claims) external {
        _claimAll(claims, msg.sender);
    }

    function claimWithSig(Claim[] calldata claims, Signature calldata batchSignature) external {
        bytes memory words = new bytes(claims.length * 64);
        for (uint256 i = 0; i < claims.length; i++) {
            bytes32 id = _channelId(claims[i].config);
            uint256 amount = claims[i].amount;
            assembly ("memory-safe") {
                let at := add(add(words, 0x20), mul(i, 0x40))
                mstore(at, id)
                mstore(add(at, 0x20), amount)
            }
        }
        _claimAll(claims, _signer(_claimBatchDigest(keccak256(words)), batchSignature));
    }

    function claimTicks(TickClaim calldata item) external {
        _requirePayeeOrDevice(item.config, msg.sender);
        bytes32 id = _channelId(item.config);
        Channel memory channel = _openChannel(id);
        if (item.amount <= channel.claimed) revert AmountBelowClaimed(channel.claimed, item.amount);
        uint256 ceiling = TickChain.ceilingOf(item);
        bytes32 digest = _tickVoucherDigest(id, item.base, item.anchor, item.tickValue, item.ticks);
        _requireCovered(channel, item.amount, ceiling, item.config.signer, _signer(digest, item.signature));
        uint64 delta = item.amount - channel.claimed;
        emit Claimed(id, item.config.device, delta, item.amount);
        channel.claimed = item.amount;
        _channels.store(id, channel);
        _book(item.config.payee, item.config.device, delta);
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

    /// @dev Routers claim for one payee and one device: the sums are booked when either changes, and at the end.
    function _claimAll(Claim[] calldata claims, address who) private {
        address payee;
        address device;
        uint256 units;
        for (uint256 i = 0; i < claims.length; i++) {
            Claim calldata item = claims[i];
            _requirePayeeOrDevice(item.config, who);
            bytes32 id = _channelId(item.config);
            Channel memory channel = _channels.load(id);
            if (channel.closed || (item.amount <= channel.claimed && channel.deposit != 0)) continue;
            if (channel.deposit == 0) revert ChannelNotOpen(id);
            if (item.config.payee != payee || item.config.device != device) {
                _book(payee, device, units);
                (payee, device, units) = (item.config.payee, item.config.device, 0);
            }
            units += _claimOne(id, channel, item);
            _channels.store(id, channel);
        }
        _book(payee, device, units);
    }

    /// @dev Raises `claimed` in memory to what the voucher allows and the router asks for; the caller stores and books it.
    function _claimOne(bytes32 id, Channel memory channel, Claim calldata item) private returns (uint64 delta) {
        address signedBy = _signer(_voucherDigest(id, item.ceiling, item.ackBytes), item.signature);
        _requireCovered(channel, item.amount, item.ceiling, item.config.signer, signedBy);
        delta = item.amount - channel.claimed;
        channel.claimed = item.amount;
        emit Claimed(id, item.config.device, delta, item.amount);
    }

    function _closeClaiming(bytes32 id, Claim calldata finalClaim) private {
        Channel memory channel = _openChannel(id);
        uint64 amount = finalClaim.amount;
        if (amount < channel.claimed) revert AmountBelowClaimed(channel.claimed, amount);
        if (amount > channel.claimed) {
            _book(finalClaim.config.payee, finalClaim.config.device, _claimOne(id, channel, finalClaim));
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

    function _requireCovered(Channel memory channel, uint64 amount, uint256 ceiling, address signer, address signedBy)
        private
        pure
    {
        if (amount > ceiling) revert AmountAboveCeiling(ceiling, amount);
        if (amount > channel.deposit) revert AmountAboveDeposit(channel.deposit, amount);
        if (signedBy != signer) revert WrongSigner(signer, signedBy);
    }

    /// @dev Zero is what a bad signature recovers to; a channel without a device names zero as its device.
    function _requirePayeeOrDevice(ChannelConfig calldata config, address who) private pure {
        if (who == address(0) || (who != config.device && who != config.payee)) {
            revert NotPayeeOrDevice(config.payee, config.device, who);
        }
    }

    function _reclaimableAt(uint40 expiry, uint40 exitAt) private pure returns (uint256) {
        return exitAt != 0 && exitAt < expiry ? exitAt : expiry;
    }
}
