// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract OpeningTest is ChannelTest {
    function test_a_payer_opens_and_the_tokens_are_here() public {
        IShareChannels.ChannelConfig memory config = open(1, 500);
        IShareChannels.Channel memory channel = stateOf(config);
        vm.assertEq(channel.deposit, 500);
        vm.assertEq(channel.claimed, 0);
        vm.assertEq(channel.exitAt, 0);
        vm.assertFalse(channel.closed);
        vm.assertEq(token.balanceOf(address(channels)), 500);
        vm.assertEq(token.balanceOf(payer), SUPPLY - 500);
    }

    function test_Opened_tells_the_whole_config() public {
        IShareChannels.ChannelConfig memory c = newConfig(1);
        bytes32 id = idOf(c);
        vm.expectEmit(true, true, true, true, address(channels));
        emit IShareChannels.Opened(id, payee, device, payer, signer, c.expiry, c.exitDelay, c.salt, 500);
        vm.prank(payer);
        channels.open(c, 500);
    }

    function testFuzz_deposits_add_up(uint64 first, uint64 second) public {
        first = uint64(bound(first, 1, SUPPLY / 2));
        second = uint64(bound(second, 1, SUPPLY / 2));
        IShareChannels.ChannelConfig memory config = open(1, first);
        open(1, second);
        vm.assertEq(stateOf(config).deposit, uint256(first) + second);
        vm.assertEq(token.balanceOf(address(channels)), uint256(first) + second);
    }

    function test_only_the_payer_pulls_the_payers_tokens() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayer.selector, payer, stranger));
        vm.prank(stranger);
        channels.open(config, 500);
    }

    function test_a_deposit_of_nothing_is_refused() public {
        refusesToOpen(newConfig(1), 0, abi.encodeWithSelector(IShareChannels.ZeroAmount.selector));
    }

    function test_a_channel_needs_payer_signer_and_payee() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        config.signer = address(0);
        refusesToOpen(config, 1, abi.encodeWithSelector(IShareChannels.MissingParty.selector));
        config = newConfig(1);
        config.payee = address(0);
        refusesToOpen(config, 1, abi.encodeWithSelector(IShareChannels.MissingParty.selector));
        config = newConfig(1);
        config.payer = address(0);
        refusesToOpen(config, 1, abi.encodeWithSelector(IShareChannels.MissingParty.selector));
    }

    function test_a_payee_cannot_ask_for_more_than_thirty_days_of_exit_delay() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        config.exitDelay = 30 days + 1;
        bytes4 selector = IShareChannels.ExitDelayTooLong.selector;
        refusesToOpen(config, 1, abi.encodeWithSelector(selector, 30 days, 30 days + 1));
    }

    function test_an_expired_config_is_refused_from_its_expiry_on() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        vm.warp(config.expiry);
        bytes4 selector = IShareChannels.ChannelExpired.selector;
        refusesToOpen(config, 1, abi.encodeWithSelector(selector, config.expiry, config.expiry));
    }

    function test_a_deposit_beyond_uint64_is_refused() public {
        IShareChannels.ChannelConfig memory config = open(1, 500);
        uint256 sum = uint256(type(uint64).max) + 500;
        bytes4 selector = IShareChannels.DepositTooLarge.selector;
        refusesToOpen(config, type(uint64).max, abi.encodeWithSelector(selector, type(uint64).max, sum));
    }

    function test_a_top_up_while_exiting_is_refused() public {
        IShareChannels.ChannelConfig memory config = open(1, 500);
        vm.prank(payer);
        channels.requestExit(config);
        bytes4 selector = IShareChannels.ChannelIsExiting.selector;
        refusesToOpen(config, 1, abi.encodeWithSelector(selector, idOf(config), START + 1 hours));
    }

    function test_a_closed_channel_never_opens_again() public {
        IShareChannels.ChannelConfig memory config = open(1, 500);
        vm.prank(device);
        channels.close(claimOf(config, 100, 100));
        refusesToOpen(config, 1, abi.encodeWithSelector(IShareChannels.ChannelIsClosed.selector, idOf(config)));
    }

    function testFuzz_an_authorisation_opens_exactly_its_channel(uint64 amount, uint256 n, address relayer) public {
        amount = uint64(bound(amount, 1, SUPPLY));
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory signature = authorization(PAYER_KEY, config, amount, n);
        vm.prank(relayer);
        channels.openWithAuthorization(config, amount, 0, type(uint256).max, n, signature);
        vm.assertEq(stateOf(config).deposit, amount);
        vm.expectRevert();
        channels.openWithAuthorization(config, amount, 0, type(uint256).max, n, signature);
    }

    function testFuzz_a_relayer_can_change_nothing_of_an_authorisation(uint8 what, uint64 by) public {
        by = uint64(bound(by, 1, 1_000));
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory signature = authorization(PAYER_KEY, config, 500, 0);
        uint64 amount = 500;
        uint256 n = 0;
        what = what % 6;
        if (what == 0) amount += by;
        if (what == 1) n += by;
        if (what == 2) config.payee = stranger;
        if (what == 3) config.signer = stranger;
        if (what == 4) config.expiry += uint40(by);
        if (what == 5) config.salt = bytes32(uint256(by) + 1);
        vm.expectRevert();
        channels.openWithAuthorization(config, amount, 0, type(uint256).max, n, signature);
    }

    function testFuzz_a_permit_with_Open_opens_by_anyone(uint64 deposit, uint64 more, address relayer) public {
        deposit = uint64(bound(deposit, 1, SUPPLY / 2));
        more = uint64(bound(more, 1, SUPPLY / 2));
        IShareChannels.ChannelConfig memory config = newConfig(1);
        openPermitted(config, deposit, deposit, 0, relayer);
        vm.assertEq(stateOf(config).deposit, deposit);
        openPermitted(config, deposit + more, more, 1, relayer);
        vm.assertEq(stateOf(config).deposit, deposit + more);
        vm.assertEq(token.balanceOf(address(channels)), uint256(deposit) + more);
    }

    function test_a_replayed_Open_adds_nothing_even_with_an_unlimited_allowance() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory byPayer = openSignature(PAYER_KEY, config, 500, START);
        channels.openWithPermit(config, 500, START, noSignature(), byPayer);
        refuses(IShareChannels.DepositNotIncreased.selector, 500, 500);
        channels.openWithPermit(config, 500, START, noSignature(), byPayer);
    }

    function test_a_permit_relayed_by_someone_else_first_still_opens() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory permit = permitSignature(PAYER_KEY, 500, 0, START);
        IShareChannels.Signature memory byPayer = openSignature(PAYER_KEY, config, 500, START);
        bytes32 s = permit.vs & bytes32(type(uint256).max >> 1);
        uint8 v = uint8(27 + (uint256(permit.vs) >> 255));
        token.permit(payer, address(channels), 500, START, v, permit.r, s);
        channels.openWithPermit(config, 500, START, permit, byPayer);
        vm.assertEq(stateOf(config).deposit, 500);
    }

    function test_a_permit_without_the_payers_Open_binds_no_channel() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory permit = permitSignature(PAYER_KEY, 500, 0, START);
        IShareChannels.Signature memory byStranger = openSignature(STRANGER_KEY, config, 500, START);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayer.selector, payer, stranger));
        channels.openWithPermit(config, 500, START, permit, byStranger);
    }

    function test_an_Open_past_its_deadline_is_refused() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory byPayer = openSignature(PAYER_KEY, config, 500, START - 1);
        refuses(IShareChannels.SignatureExpired.selector, START - 1, START);
        channels.openWithPermit(config, 500, START - 1, noSignature(), byPayer);
    }

    function openPermitted(
        IShareChannels.ChannelConfig memory config,
        uint64 deposit,
        uint64 permitted,
        uint256 nonce,
        address relayer
    ) private {
        IShareChannels.Signature memory permit = permitSignature(PAYER_KEY, permitted, nonce, START);
        IShareChannels.Signature memory byPayer = openSignature(PAYER_KEY, config, deposit, START);
        vm.prank(relayer);
        channels.openWithPermit(config, deposit, START, permit, byPayer);
    }

    function refusesToOpen(IShareChannels.ChannelConfig memory config, uint64 amount, bytes memory because) private {
        vm.expectRevert(because);
        vm.prank(config.payer);
        channels.open(config, amount);
    }
}
