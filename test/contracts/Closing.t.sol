// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract ClosingTest is ChannelTest {
    uint64 private constant DEPOSIT = 1_000_000;

    IShareChannels.ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        config = open(1, DEPOSIT);
    }

    function testFuzz_what_was_not_used_goes_back_at_once(uint64 amount, uint64 ceiling, bool byDevice) public {
        ceiling = uint64(bound(ceiling, 0, DEPOSIT));
        amount = uint64(bound(amount, 0, ceiling));
        IShareChannels.Claim memory item = claimOf(config, amount, ceiling);
        vm.prank(byDevice ? device : payee);
        channels.close(item);
        vm.assertEq(token.balanceOf(payer), SUPPLY - amount);
        vm.assertEq(channels.earned(payee), amount);
        vm.assertTrue(stateOf(config).closed);
        vm.assertEq(stateOf(config).claimed, amount);
    }

    function testFuzz_anyone_relays_a_close_that_payee_or_device_signed(uint64 amount, bool byDevice, address relayer)
        public
    {
        amount = uint64(bound(amount, 0, DEPOSIT));
        IShareChannels.Signature memory signature = closeSignature(byDevice ? DEVICE_KEY : PAYEE_KEY, config, amount);
        IShareChannels.Claim memory item = claimOf(config, amount, DEPOSIT);
        vm.prank(relayer);
        channels.closeWithSignature(item, signature);
        vm.assertEq(token.balanceOf(payer), SUPPLY - amount);
        vm.assertEq(channels.earned(payee), amount);
    }

    function test_nothing_used_needs_no_voucher() public {
        vm.expectEmit(true, true, true, true, address(channels));
        emit IShareChannels.Closed(idOf(config), 0, DEPOSIT);
        vm.prank(device);
        channels.close(unsigned(0));
        vm.assertEq(token.balanceOf(payer), SUPPLY);
        vm.assertEq(channels.earned(payee), 0);
    }

    function test_nothing_new_since_the_last_claim_needs_no_voucher() public {
        claimFirst(400);
        vm.prank(device);
        channels.close(unsigned(400));
        vm.assertEq(token.balanceOf(payer), SUPPLY - 400);
        vm.assertEq(channels.earned(payee), 400);
    }

    function test_closing_for_more_than_the_ceiling_or_the_deposit_is_refused() public {
        refuses(IShareChannels.AmountAboveCeiling.selector, 500, 501);
        closeAsDevice(claimOf(config, 501, 500));
        refuses(IShareChannels.AmountAboveDeposit.selector, DEPOSIT, DEPOSIT + 1);
        closeAsDevice(claimOf(config, DEPOSIT + 1, DEPOSIT + 1));
    }

    function test_closing_for_less_than_was_claimed_is_refused() public {
        claimFirst(400);
        refuses(IShareChannels.AmountBelowClaimed.selector, 400, 399);
        closeAsDevice(claimOf(config, 399, 500));
    }

    function test_closing_under_a_voucher_by_someone_else_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.WrongSigner.selector, signer, stranger));
        closeAsDevice(claimSignedBy(STRANGER_KEY, config, 500, 500));
        vm.expectRevert();
        closeAsDevice(unsigned(500));
    }

    function testFuzz_nobody_else_closes(address sender) public {
        vm.assume(sender != payee && sender != device);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, payee, device, sender));
        vm.prank(sender);
        channels.close(unsigned(0));
    }

    function test_a_close_signed_by_the_payer_is_refused() public {
        IShareChannels.Signature memory signature = closeSignature(PAYER_KEY, config, 0);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, payee, device, payer));
        channels.closeWithSignature(unsigned(0), signature);
    }

    function test_a_close_signed_for_another_amount_is_refused() public {
        IShareChannels.Signature memory signature = closeSignature(DEVICE_KEY, config, 100);
        vm.expectRevert();
        channels.closeWithSignature(claimOf(config, 101, 500), signature);
        vm.expectRevert();
        channels.closeWithSignature(unsigned(0), signature);
    }

    function test_a_bad_signature_does_not_stand_for_the_device_that_is_not_there() public {
        IShareChannels.ChannelConfig memory deviceless = newConfig(2);
        deviceless.device = address(0);
        vm.prank(payer);
        channels.open(deviceless, DEPOSIT);
        IShareChannels.Claim memory item = unsigned(0);
        item.config = deviceless;
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, payee, address(0), address(0)));
        channels.closeWithSignature(item, noSignature());
    }

    function test_a_close_cannot_be_replayed() public {
        IShareChannels.Signature memory signature = closeSignature(DEVICE_KEY, config, 0);
        channels.closeWithSignature(unsigned(0), signature);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.ChannelIsClosed.selector, idOf(config)));
        channels.closeWithSignature(unsigned(0), signature);
    }

    function test_a_channel_that_never_opened_cannot_be_closed() public {
        IShareChannels.Claim memory item = unsigned(0);
        item.config.salt = bytes32(uint256(9));
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.ChannelNotOpen.selector, idOf(item.config)));
        closeAsDevice(item);
    }

    function test_all_used_sends_nothing_back() public {
        closeAsDevice(claimOf(config, DEPOSIT, DEPOSIT));
        vm.assertEq(token.balanceOf(payer), SUPPLY - DEPOSIT);
        vm.assertEq(token.balanceOf(address(channels)), DEPOSIT);
    }

    function unsigned(uint64 amount) private view returns (IShareChannels.Claim memory) {
        return IShareChannels.Claim(config, amount, 0, 0, noSignature());
    }

    function claimFirst(uint64 amount) private {
        IShareChannels.Claim[] memory claims = one(claimOf(config, amount, amount));
        vm.prank(device);
        channels.claim(claims);
    }

    function closeAsDevice(IShareChannels.Claim memory item) private {
        vm.prank(device);
        channels.close(item);
    }
}
