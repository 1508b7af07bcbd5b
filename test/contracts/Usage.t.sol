// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareRewards} from "../../contracts/IShareRewards.sol";
import {RewardsTest} from "./RewardsTest.sol";

contract UsageTest is RewardsTest {
    /// @dev Claimed in a week at which its budget is just used up.
    uint64 private constant SATURATION = 1_201_923_076_922;

    function setUp() public override {
        super.setUp();
        bind(DEVICE_KEY, operator, 0);
        bind(SIGNER_KEY, stranger, 0);
    }

    function test_nine_tenths_of_the_fee_come_back_to_the_operator_by_anyone() public {
        pay(device, 1_721_336, 1);
        nextEpoch();
        uint256 before = token.balanceOf(operator);
        vm.expectEmit(true, true, true, true, address(rewards));
        emit IShareRewards.UsageReward(device, first, operator, 154_920);
        vm.prank(stranger);
        rewards.claimUsage(device, epochs(first));
        vm.assertEq(token.balanceOf(operator) - before, 154_920);
        vm.assertTrue(rewards.isClaimed(device, first));
    }

    function testFuzz_rewards_stay_within_budget_and_below_the_fee(uint64 a, uint64 b) public {
        a = uint64(bound(a, 1, 20 * SATURATION));
        b = uint64(bound(b, 1, 20 * SATURATION));
        pay(device, a, 1);
        pay(signer, b, 2);
        uint256 one = rewards.rewardOf(device, first);
        uint256 other = rewards.rewardOf(signer, first);
        vm.assertLe(one + other, rewards.epochBudget(first));
        channels.withdraw(payee);
        vm.assertLe(10 * (one + other), 9 * channels.feePot());
        // Linear: two devices get what one with all of it would, less what rounding keeps.
        uint256 together = uint256(a) + b <= SATURATION ? (uint256(a) + b) * 9 / 100 : rewards.epochBudget(first);
        vm.assertLe(one + other, together);
        vm.assertLe(together, one + other + 1);
    }

    function test_nothing_is_paid_twice_and_claimed_epochs_do_not_spoil_a_batch() public {
        pay(device, 10_000, 1);
        nextEpoch();
        pay(device, 20_000, 2);
        nextEpoch();
        rewards.claimUsage(device, epochs(first));
        uint256[] memory both = new uint256[](3);
        (both[0], both[1], both[2]) = (first, first + 1, first + 1);
        uint256 before = token.balanceOf(operator);
        rewards.claimUsage(device, both);
        vm.assertEq(token.balanceOf(operator) - before, 1_800);
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NothingToClaim.selector, device));
        rewards.claimUsage(device, both);
    }

    function test_an_epoch_must_be_over_and_not_before_the_first() public {
        pay(device, 10_000, 1);
        refuses(IShareRewards.EpochNotOver.selector, first, first);
        rewards.claimUsage(device, epochs(first));
        refuses(IShareRewards.EpochBeforeFirst.selector, first, first - 1);
        rewards.claimUsage(device, epochs(first - 1));
        vm.assertEq(rewards.epochBudget(first - 1), 0);
    }

    function test_a_device_without_an_operator_waits_for_one() public {
        address unbound = vm.addr(STRANGER_KEY);
        pay(unbound, 10_000, 1);
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NotBound.selector, unbound));
        rewards.claimUsage(unbound, epochs(first));
        bind(STRANGER_KEY, operator, 0);
        rewards.claimUsage(unbound, epochs(first));
        vm.assertEq(token.balanceOf(operator), 1_000_000_900);
    }

    function testFuzz_budgets_halve_every_208_weeks(uint256 weeks_) public view {
        weeks_ = bound(weeks_, 0, 20_000);
        uint256 budget = rewards.epochBudget(first + weeks_);
        vm.assertEq(budget, weeks_ / 208 > 36 ? 0 : 108_173_076_923 / 2 ** (weeks_ / 208));
    }

    function test_without_growth_terms_there_is_no_growth_stream() public {
        vm.expectRevert(IShareRewards.NoGrowthStream.selector);
        vm.prank(publisher);
        rewards.proposeRoot(0, 0, first);
        vm.assertEq(rewards.growthAllowance(first + 1_000), 0);
    }

    function test_an_empty_reserve_pays_nothing_and_loses_no_claim() public {
        pay(device, SATURATION, 1);
        nextEpoch();
        vm.prank(address(rewards));
        token.transfer(stranger, RESERVE);
        vm.expectRevert();
        rewards.claimUsage(device, epochs(first));
        vm.assertFalse(rewards.isClaimed(device, first));
    }
}
