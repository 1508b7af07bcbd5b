// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {SspToken} from "../../contracts/tokens/SspToken.sol";
import {ChannelTest} from "./ChannelTest.sol";

/// @title Everybody who has to do with a few channels, doing anything at any time
/// @dev Keeps its own books from what it was allowed to do; the invariants compare them with the contract's.
contract ChannelHandler is ChannelTest {
    uint256 public constant CHANNELS = 6;
    uint256 public constant LIFE = 7 days;

    /// @dev Tokens that someone sent to the contract without being asked.
    uint256 public donated;
    /// @dev Set when something happened that must never happen; the invariants look at it.
    string public broken;
    mapping(uint256 index => uint64 highest) public signedCeiling;
    mapping(uint256 index => IShareChannels.Channel) private lastSeen;

    constructor(IShareChannels channels_, SspToken token_) {
        channels = channels_;
        token = token_;
    }

    function setUp() public override {}

    function configOf(uint256 index) public view returns (IShareChannels.ChannelConfig memory config) {
        config = newConfig(index + 1);
        config.expiry = uint40(START + LIFE);
        config.exitDelay = uint40(index * 1 hours);
        // Two of them share a payee, as the routers of one owner do.
        config.payee = index < 2 ? payee : stranger;
    }

    function open(uint256 index, uint64 amount, bool byAuthorization, uint256 n) external {
        IShareChannels.ChannelConfig memory config = pick(index);
        amount = uint64(bound(amount, 1, 1_000_000));
        IShareChannels.Signature memory signature = authorization(PAYER_KEY, config, amount, n);
        IShareChannels.Channel memory before = stateOf(config);
        bool done;
        if (byAuthorization) {
            try channels.openWithAuthorization(config, amount, 0, type(uint256).max, n, signature) {
                done = true;
            } catch {}
        } else {
            vm.prank(payer);
            try channels.open(config, amount) {
                done = true;
            } catch {}
        }
        if (done && before.closed) broken = "a closed channel took a deposit";
        if (done && before.exitAt != 0) broken = "an exiting channel took a deposit";
        look(index);
    }

    function claim(uint256 index, uint64 amount, uint64 ceiling, bool byDevice) external {
        IShareChannels.ChannelConfig memory config = pick(index);
        (amount, ceiling) = vouched(index, amount, ceiling);
        IShareChannels.Claim[] memory claims = one(claimOf(config, amount, ceiling));
        vm.prank(byDevice ? config.device : config.payee);
        try channels.claim(claims) {} catch {}
        look(index);
    }

    /// @dev A chain of 64 ticks above the base; the router asks for around what its preimage is worth.
    function claimTicks(uint256 index, uint64 base, uint32 tickValue, uint64 amount, bool byDevice) external {
        IShareChannels.ChannelConfig memory config = pick(index);
        (, base) = vouched(index, 0, base);
        tickValue = uint32(bound(tickValue, 1, 1_000));
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, base, tickValue);
        uint64 ceiling = item.amount;
        item.amount = uint64(bound(amount, ceiling < 4 ? 0 : ceiling - 4, uint256(ceiling) + 1));
        if (ceiling > signedCeiling[index % CHANNELS]) signedCeiling[index % CHANNELS] = ceiling;
        vm.prank(byDevice ? config.device : config.payee);
        try channels.claimTicks(item) {} catch {}
        look(index);
    }

    function claimRelayed(uint256 index, uint64 amount, uint64 ceiling, bool byDevice) external {
        IShareChannels.ChannelConfig memory config = pick(index);
        (amount, ceiling) = vouched(index, amount, ceiling);
        IShareChannels.Claim[] memory claims = one(claimOf(config, amount, ceiling));
        IShareChannels.Signature memory signature = batchSignature(byDevice ? DEVICE_KEY : PAYEE_KEY, claims);
        try channels.claimWithSig(claims, signature) {} catch {}
        look(index);
    }

    function close(uint256 index, uint64 amount, uint64 ceiling, bool relayed) external {
        IShareChannels.ChannelConfig memory config = pick(index);
        (amount, ceiling) = vouched(index, amount, ceiling);
        IShareChannels.Claim memory item = claimOf(config, amount, ceiling);
        IShareChannels.Signature memory signature = closeSignature(DEVICE_KEY, config, amount);
        if (relayed) {
            try channels.closeWithSignature(item, signature) {} catch {}
        } else {
            vm.prank(config.payee);
            try channels.close(item) {} catch {}
        }
        look(index);
    }

    function requestExit(uint256 index) external {
        IShareChannels.ChannelConfig memory config = pick(index);
        IShareChannels.Channel memory before = stateOf(config);
        bool can = before.deposit != 0 && !before.closed && before.exitAt == 0;
        vm.prank(payer);
        try channels.requestExit(config) {}
        catch {
            if (can) broken = "a payer could not ask to leave";
        }
        look(index);
    }

    function reclaim(uint256 index) external {
        IShareChannels.ChannelConfig memory config = pick(index);
        IShareChannels.Channel memory before = stateOf(config);
        bool isDue = before.deposit > 0 && !before.closed
            && (block.timestamp >= config.expiry || (before.exitAt != 0 && block.timestamp >= before.exitAt));
        uint256 balance = token.balanceOf(payer);
        try channels.reclaim(config) {
            if (!isDue) broken = "reclaimed too early";
            if (token.balanceOf(payer) != balance + before.deposit - before.claimed) {
                broken = "a payer got another amount";
            }
        } catch {
            if (isDue) broken = "a payer could not leave";
        }
        look(index);
    }

    function withdraw(bool first) external {
        try channels.withdraw(first ? payee : stranger) {} catch {}
    }

    function burnFees() external {
        try channels.burnFees() {} catch {}
    }

    function donate(uint64 amount) external {
        amount = uint64(bound(amount, 1, 1_000));
        vm.prank(payer);
        token.transfer(address(channels), amount);
        donated += amount;
    }

    function wait_(uint256 duration) external {
        vm.warp(block.timestamp + bound(duration, 1, LIFE / 20));
    }

    function pick(uint256 index) private view returns (IShareChannels.ChannelConfig memory) {
        return configOf(index % CHANNELS);
    }

    /// @dev Amounts around what is in the channel, so that most are possible and some are not.
    function vouched(uint256 index, uint64 amount, uint64 ceiling) private returns (uint64, uint64) {
        uint64 deposit = stateOf(pick(index)).deposit;
        ceiling = uint64(bound(ceiling, 0, uint256(deposit) + 10));
        amount = uint64(bound(amount, 0, uint256(ceiling) + 1));
        if (ceiling > signedCeiling[index % CHANNELS]) signedCeiling[index % CHANNELS] = ceiling;
        return (amount, ceiling);
    }

    /// @dev What may never go back, whoever does what.
    function look(uint256 index) private {
        index = index % CHANNELS;
        IShareChannels.Channel memory now_ = stateOf(configOf(index));
        IShareChannels.Channel memory before = lastSeen[index];
        if (now_.claimed < before.claimed) broken = "claimed went down";
        if (now_.deposit < before.deposit) broken = "the deposit went down";
        if (before.exitAt != 0 && now_.exitAt != before.exitAt) broken = "an exit was moved";
        if (before.closed && !now_.closed) broken = "a closed channel revived";
        if (before.closed && (now_.claimed != before.claimed || now_.deposit != before.deposit)) {
            broken = "a closed channel changed";
        }
        lastSeen[index] = now_;
    }
}
