// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract TicksTest is ChannelTest {
    uint64 private constant DEPOSIT = 1_000_000;

    IShareChannels.ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        config = open(1, DEPOSIT);
    }

    function testFuzz_each_preimage_is_worth_its_ticks(uint32 index, uint64 base, uint32 tickValue) public {
        IShareChannels.TickClaim memory item =
            tickClaimOf(SIGNER_KEY, config, uint64(bound(base, 1, 1_000)), uint32(bound(tickValue, 1, 1_000)));
        index = uint32(bound(index, 0, 64));
        walkTo(item, index);
        item.amount = item.base + index * item.tickValue;
        claimAs(device, item);
        vm.assertEq(stateOf(config).claimed, item.amount);
        vm.assertEq(channels.earned(payee), item.amount);
        vm.assertEq(channels.claimedFor(block.timestamp / 7 days, device), item.amount);
    }

    function testFuzz_one_unit_more_than_the_ticks_is_refused(uint32 index) public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        index = uint32(bound(index, 0, 64));
        walkTo(item, index);
        item.amount = 101 + 10 * index;
        refuses(IShareChannels.AmountAboveCeiling.selector, item.amount - 1, item.amount);
        claimAs(device, item);
    }

    function testFuzz_no_other_word_passes_for_a_preimage(bytes32 word, uint32 index) public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        vm.assume(word != item.preimage);
        item.index = uint32(bound(index, 1, 64));
        item.preimage = word;
        vm.expectPartialRevert(IShareChannels.NotOfThisChain.selector);
        claimAs(device, item);
    }

    function test_a_preimage_cannot_count_for_a_later_tick() public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        walkTo(item, 10);
        item.index = 11;
        vm.expectPartialRevert(IShareChannels.NotOfThisChain.selector);
        claimAs(device, item);
    }

    function test_an_index_beyond_the_chain_and_a_chain_too_long_are_refused() public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        item.index = 65;
        refuses(IShareChannels.TickBeyondChain.selector, 64, 65);
        claimAs(device, item);
        item.ticks = 257;
        item.signature = tickVoucherSignature(SIGNER_KEY, item);
        refuses(IShareChannels.TooManyTicks.selector, 256, 257);
        claimAs(device, item);
    }

    function testFuzz_a_raised_tick_voucher_is_refused(uint8 what) public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        what = what % 4;
        if (what == 0) item.base += 1;
        if (what == 1) item.tickValue += 1;
        if (what == 2) item.ticks += 1;
        if (what == 3) item.signature = tickVoucherSignature(PAYER_KEY, item);
        vm.expectPartialRevert(IShareChannels.WrongSigner.selector);
        claimAs(device, item);
    }

    function test_ticks_of_another_channel_are_refused() public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        item.config = open(2, DEPOSIT);
        vm.expectPartialRevert(IShareChannels.WrongSigner.selector);
        claimAs(device, item);
    }

    function test_third_parties_cannot_claim_ticks() public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, payee, device, stranger));
        claimAs(stranger, item);
    }

    function test_ticks_never_exceed_the_deposit_nor_revive_a_closed_channel() public {
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, DEPOSIT, 10);
        refuses(IShareChannels.AmountAboveDeposit.selector, DEPOSIT, DEPOSIT + 640);
        claimAs(device, item);
        vm.prank(device);
        channels.close(claimOf(config, 0, 0));
        item.amount = 5;
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.ChannelIsClosed.selector, idOf(config)));
        claimAs(device, item);
    }

    function test_vouchers_and_ticks_raise_the_same_claim_and_a_replay_books_nothing() public {
        vm.prank(device);
        channels.claim(one(claimOf(config, 300, 300)));
        IShareChannels.TickClaim memory item = tickClaimOf(SIGNER_KEY, config, 100, 10);
        claimAs(payee, item);
        vm.assertEq(channels.earned(payee), 740);
        refuses(IShareChannels.AmountBelowClaimed.selector, 740, 740);
        claimAs(payee, item);
        // The rest goes back without a voucher.
        vm.prank(device);
        channels.close(claimOf(config, 740, 0));
        vm.assertEq(stateOf(config).claimed, 740);
        vm.assertEq(token.balanceOf(payer), SUPPLY - 740);
    }

    function walkTo(IShareChannels.TickClaim memory item, uint32 index) private pure {
        for (; item.index > index; item.index--) {
            item.preimage = keccak256(abi.encode(item.preimage));
        }
    }

    function claimAs(address sender, IShareChannels.TickClaim memory item) private {
        vm.prank(sender);
        channels.claimTicks(item);
    }
}
