// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBudgets} from "../../contracts/IBudgets.sol";
import {IShareRewards} from "../../contracts/IShareRewards.sol";
import {RewardsTest} from "./RewardsTest.sol";

contract GrowthTest is RewardsTest {
    uint256 private constant DAY = 24 hours;

    function setUp() public override {
        super.setUp();
        rewards = deployRewards(1_000);
        setVendor(10, true);
        register(device);
        bind(DEVICE_KEY, operator, 0);
        bondFor(device, BOND);
        nextEpoch();
    }

    function test_a_grant_is_paid_once_to_the_operator_and_later_grants_add_to_it() public {
        accept(leafOf(device, 300_000), 300_000);
        uint256 before = token.balanceOf(operator);
        vm.prank(stranger);
        rewards.claimGrowth(device, 300_000, none());
        vm.assertEq(token.balanceOf(operator) - before, 300_000);
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NothingToClaim.selector, device));
        rewards.claimGrowth(device, 300_000, none());
        nextEpoch();
        accept(leafOf(device, 800_000), 800_000);
        rewards.claimGrowth(device, 800_000, none());
        vm.assertEq(token.balanceOf(operator) - before, 800_000);
        vm.assertEq(rewards.growthPaid(), 800_000);
    }

    function testFuzz_each_leaf_of_a_tree_is_paid_and_nothing_else(uint64 cumulative, bytes32 sibling) public {
        cumulative = uint64(bound(cumulative, 1, MAX_GROWTH));
        bytes32 leaf = leafOf(device, cumulative);
        bytes32 root = leaf < sibling ? keccak256(abi.encode(leaf, sibling)) : keccak256(abi.encode(sibling, leaf));
        accept(root, MAX_GROWTH);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = sibling;
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NotUnderRoot.selector, root));
        rewards.claimGrowth(device, cumulative - 1, proof);
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NotUnderRoot.selector, root));
        rewards.claimGrowth(device, cumulative, none());
        rewards.claimGrowth(device, cumulative, proof);
        vm.assertEq(rewards.grownBy(device), cumulative);
    }

    function test_a_root_waits_a_day_and_the_auditor_may_take_it_away() public {
        bytes32 root = leafOf(device, 5);
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NotPublisher.selector, publisher, stranger));
        vm.prank(stranger);
        rewards.proposeRoot(root, 5, first);
        propose(root, 5, first);
        refuses(IShareRewards.NotAcceptableYet.selector, block.timestamp + DAY, block.timestamp);
        rewards.acceptRoot(root);
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NotAuditor.selector, auditor, publisher));
        vm.prank(publisher);
        rewards.vetoRoot(root);
        vm.expectPartialRevert(IShareRewards.NotPending.selector);
        rewards.acceptRoot(bytes32(uint256(1)));
        vm.prank(auditor);
        rewards.vetoRoot(root);
        vm.warp(block.timestamp + DAY);
        vm.expectPartialRevert(IShareRewards.NotPending.selector);
        rewards.acceptRoot(root);
        vm.expectPartialRevert(IShareRewards.NotUnderRoot.selector);
        rewards.claimGrowth(device, 5, none());
    }

    function testFuzz_a_root_may_not_promise_more_than_growths_part_of_the_budgets(uint256 weeks_) public {
        weeks_ = bound(weeks_, 1, 1_000);
        vm.warp((first + weeks_) * EPOCH);
        uint256 allowance = rewards.growthAllowance(first + weeks_ - 1);
        uint256 sum = 0;
        for (uint256 i = 0; i < weeks_; i++) {
            sum += rewards.epochBudget(first + i) / 10;
        }
        vm.assertEq(allowance, sum);
        propose(0, uint64(allowance), first + weeks_ - 1);
        refuses(IShareRewards.TotalAboveAllowance.selector, allowance, allowance + 1);
        propose(0, uint64(allowance) + 1, first + weeks_ - 1);
    }

    function test_roots_look_back_only_and_their_totals_do_not_shrink() public {
        refuses(IShareRewards.EpochNotOver.selector, first + 1, first + 1);
        propose(0, 0, first + 1);
        accept(leafOf(device, 5), 500);
        refuses(IShareRewards.TotalBelowAccepted.selector, 500, 499);
        propose(0, 499, first);
    }

    function test_grants_stop_at_the_total_of_their_root() public {
        accept(leafOf(device, 300_000), 299_999);
        refuses(IShareRewards.RootSpent.selector, 299_999, 300_000);
        rewards.claimGrowth(device, 300_000, none());
    }

    function test_only_attested_bonded_bound_devices_within_their_weeks_are_paid() public {
        accept(leafOf(device, MAX_GROWTH + 1), 10 * MAX_GROWTH);
        refuses(IShareRewards.GrantTooLarge.selector, MAX_GROWTH, MAX_GROWTH + 1);
        rewards.claimGrowth(device, MAX_GROWTH + 1, none());
        nextEpoch();
        vm.prank(operator);
        registry.leaveBond(device);
        refuses(IShareRewards.BondTooSmall.selector, BOND, 0);
        rewards.claimGrowth(device, MAX_GROWTH + 1, none());
        vm.prank(vendor);
        registry.revoke(device);
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NotAttested.selector, device));
        rewards.claimGrowth(device, MAX_GROWTH + 1, none());
        vm.expectRevert(abi.encodeWithSelector(IShareRewards.NotBound.selector, stranger));
        rewards.claimGrowth(stranger, 1, none());
    }

    function test_usage_and_growth_share_one_budget() public {
        uint64 huge = 9_000_000_000_000;
        pay(device, huge, 1);
        uint256 epoch = block.timestamp / EPOCH;
        uint256 growth = rewards.growthAllowance(epoch) - rewards.growthAllowance(epoch - 1);
        vm.assertEq(rewards.rewardOf(device, epoch) + growth, rewards.epochBudget(epoch));
    }

    function test_a_growth_part_above_the_whole_budget_cannot_be_deployed() public {
        refuses(IBudgets.GrowthPartTooLarge.selector, 10_000, 10_001);
        this.deploy(10_001);
    }

    function deploy(uint16 basisPoints) external {
        deployRewards(basisPoints);
    }

    function accept(bytes32 root, uint64 total) private {
        propose(root, total, block.timestamp / EPOCH - 1);
        vm.warp(block.timestamp + DAY);
        rewards.acceptRoot(root);
    }

    function propose(bytes32 root, uint64 total, uint256 throughEpoch) private {
        vm.prank(publisher);
        rewards.proposeRoot(root, total, throughEpoch);
    }

    function leafOf(address which, uint256 cumulative) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(which, cumulative))));
    }

    function none() private pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }
}
