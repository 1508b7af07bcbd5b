// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract LeavingTest is ChannelTest {
    uint64 private constant DEPOSIT = 1_000_000;

    IShareChannels.ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        config = open(1, DEPOSIT);
    }

    function testFuzz_the_payer_leaves_alone_after_the_exit_delay(uint40 exitDelay, uint64 claimed, address anyone)
        public
    {
        config = newConfig(2);
        config.exitDelay = uint40(bound(exitDelay, 0, 30 days));
        config.expiry = uint40(START + 365 days);
        claimed = uint64(bound(claimed, 0, DEPOSIT));
        vm.prank(payer);
        channels.open(config, DEPOSIT);
        vm.prank(payer);
        channels.requestExit(config);
        if (claimed > 0) claimFirst(claimed);
        uint256 exitAt = START + config.exitDelay;
        vm.assertEq(channels.reclaimableAt(config), exitAt);
        if (config.exitDelay > 0) {
            vm.warp(exitAt - 1);
            refuses(IShareChannels.NotReclaimableYet.selector, exitAt, exitAt - 1);
            channels.reclaim(config);
        }
        vm.warp(exitAt);
        vm.prank(anyone);
        channels.reclaim(config);
        // The deposit of the channel in setUp stays out.
        vm.assertEq(token.balanceOf(payer), SUPPLY - DEPOSIT - claimed);
        vm.assertTrue(stateOf(config).closed);
    }

    function testFuzz_anyone_reclaims_for_the_payer_after_expiry(uint64 claimed, address anyone) public {
        claimed = uint64(bound(claimed, 0, DEPOSIT));
        if (claimed > 0) claimFirst(claimed);
        vm.warp(config.expiry);
        vm.prank(anyone);
        channels.reclaim(config);
        vm.assertEq(token.balanceOf(payer), SUPPLY - claimed);
        vm.assertEq(channels.earned(payee), claimed);
    }

    function test_before_expiry_and_without_exit_nobody_reclaims() public {
        vm.warp(config.expiry - 1);
        refuses(IShareChannels.NotReclaimableYet.selector, config.expiry, config.expiry - 1);
        channels.reclaim(config);
    }

    function test_an_exit_later_than_the_expiry_does_not_postpone_it() public {
        vm.warp(config.expiry - 10);
        vm.prank(payer);
        channels.requestExit(config);
        vm.assertEq(channels.reclaimableAt(config), config.expiry);
        vm.warp(config.expiry);
        channels.reclaim(config);
        vm.assertEq(token.balanceOf(payer), SUPPLY);
    }

    function test_an_exit_cannot_be_prolonged_by_asking_again() public {
        IShareChannels.Signature memory signature = exitSignature(PAYER_KEY, config, START + 1 days);
        vm.prank(payer);
        channels.requestExit(config);
        vm.warp(START + 60);
        bytes memory because =
            abi.encodeWithSelector(IShareChannels.ChannelIsExiting.selector, idOf(config), START + 1 hours);
        vm.expectRevert(because);
        vm.prank(payer);
        channels.requestExit(config);
        vm.expectRevert(because);
        channels.requestExitWithSignature(config, START + 1 days, signature);
    }

    function testFuzz_only_the_payer_asks_to_leave(address sender) public {
        vm.assume(sender != payer);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayer.selector, payer, sender));
        vm.prank(sender);
        channels.requestExit(config);
    }

    function testFuzz_anyone_relays_the_payers_signed_exit(uint256 deadline, address relayer) public {
        deadline = bound(deadline, START, type(uint256).max - 1);
        IShareChannels.Signature memory signature = exitSignature(PAYER_KEY, config, deadline);
        vm.expectEmit(true, true, true, true, address(channels));
        emit IShareChannels.ExitRequested(idOf(config), uint40(START + 1 hours));
        vm.prank(relayer);
        channels.requestExitWithSignature(config, deadline, signature);
        vm.assertEq(stateOf(config).exitAt, START + 1 hours);
    }

    function test_an_exit_signed_by_the_voucher_key_or_for_another_time_is_refused() public {
        IShareChannels.Signature memory bySigner = exitSignature(SIGNER_KEY, config, START);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayer.selector, payer, signer));
        channels.requestExitWithSignature(config, START, bySigner);
        IShareChannels.Signature memory byPayer = exitSignature(PAYER_KEY, config, START);
        vm.expectRevert();
        channels.requestExitWithSignature(config, START + 1, byPayer);
    }

    function test_an_exit_past_its_deadline_is_refused() public {
        IShareChannels.Signature memory signature = exitSignature(PAYER_KEY, config, START - 1);
        refuses(IShareChannels.SignatureExpired.selector, START - 1, START);
        channels.requestExitWithSignature(config, START - 1, signature);
    }

    function test_reclaiming_twice_is_refused() public {
        vm.warp(config.expiry);
        channels.reclaim(config);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.ChannelIsClosed.selector, idOf(config)));
        channels.reclaim(config);
    }

    function test_a_channel_that_never_opened_has_no_exit_and_nothing_to_reclaim() public {
        IShareChannels.ChannelConfig memory unknown = newConfig(9);
        bytes memory because = abi.encodeWithSelector(IShareChannels.ChannelNotOpen.selector, idOf(unknown));
        vm.expectRevert(because);
        vm.prank(payer);
        channels.requestExit(unknown);
        vm.expectRevert(because);
        channels.reclaim(unknown);
    }

    function claimFirst(uint64 amount) private {
        IShareChannels.Claim[] memory claims = one(claimOf(config, amount, amount));
        vm.prank(device);
        channels.claim(claims);
    }
}
