// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {LegacySspToken} from "../../contracts/tokens/LegacySspToken.sol";
import {ChannelTest} from "./ChannelTest.sol";
import {FalseToken} from "./tokens/FalseToken.sol";
import {HostileToken} from "./tokens/HostileToken.sol";
import {PhantomToken} from "./tokens/PhantomToken.sol";
import {ReenteringToken} from "./tokens/ReenteringToken.sol";
import {SilentToken} from "./tokens/SilentToken.sol";
import {TakingToken} from "./tokens/TakingToken.sol";

/// @dev After solmate's list of weird tokens, as far as they apply to one token that is fixed at deployment.
contract OddTokensTest is ChannelTest {
    uint64 private constant DEPOSIT = 1_000;

    function testFuzz_the_legacy_token_goes_the_whole_way(uint64 deposit, uint64 amount) public {
        deposit = uint64(bound(deposit, 1, SUPPLY));
        amount = uint64(bound(amount, 0, deposit));
        LegacySspToken legacy = LegacySspToken(deployArtifact("LegacySspToken", abi.encode(payer, SUPPLY)));
        channels = deployChannels(address(legacy));
        vm.prank(payer);
        legacy.approve(address(channels), deposit);
        IShareChannels.ChannelConfig memory config = open(1, deposit);
        closeAsDevice(config, amount);
        vm.assertEq(legacy.balanceOf(payer), SUPPLY - amount);
        if (amount == 0) return;
        channels.withdraw(payee);
        uint256 fee = (uint256(amount) * FEE_BASIS_POINTS + 9_999) / 10_000;
        vm.assertEq(legacy.balanceOf(payee), amount - fee);
        channels.burnFees();
        vm.assertEq(legacy.balanceOf(address(channels)), 0);
    }

    function test_the_legacy_token_opens_by_approval_and_Open() public {
        LegacySspToken legacy = LegacySspToken(deployArtifact("LegacySspToken", abi.encode(payer, SUPPLY)));
        channels = deployChannels(address(legacy));
        vm.prank(payer);
        legacy.approve(address(channels), DEPOSIT);
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory byPayer = openSignature(PAYER_KEY, config, DEPOSIT, START);
        vm.prank(stranger);
        channels.openWithPermit(config, DEPOSIT, START, noSignature(), byPayer);
        vm.assertEq(stateOf(config).deposit, DEPOSIT);
    }

    function test_the_legacy_token_knows_no_authorisation() public {
        LegacySspToken legacy = LegacySspToken(deployArtifact("LegacySspToken", abi.encode(payer, SUPPLY)));
        channels = deployChannels(address(legacy));
        vm.expectRevert();
        channels.openWithAuthorization(newConfig(1), DEPOSIT, 0, type(uint256).max, 0, noSignature());
    }

    function test_a_token_that_returns_nothing_works() public {
        SilentToken odd = new SilentToken();
        use(odd);
        IShareChannels.ChannelConfig memory config = open(1, DEPOSIT);
        closeAsDevice(config, 300);
        channels.withdraw(payee);
        channels.burnFees();
        vm.assertEq(odd.balanceOf(payer), DEPOSIT - 300);
        vm.assertEq(odd.balanceOf(payee), 270);
    }

    function test_a_token_that_returns_false_opens_nothing() public {
        use(new FalseToken());
        vm.expectRevert(IShareChannels.TokenRefused.selector);
        open(1, DEPOSIT);
    }

    function test_a_token_that_returns_false_loses_nothing_on_the_way_out() public {
        FalseToken odd = new FalseToken();
        use(odd);
        odd.refuse(false);
        IShareChannels.ChannelConfig memory config = open(1, DEPOSIT);
        odd.refuse(true);
        IShareChannels.Claim memory item = claimOf(config, 300, 300);
        vm.expectRevert(IShareChannels.TokenRefused.selector);
        vm.prank(device);
        channels.close(item);
        vm.assertFalse(stateOf(config).closed);
        odd.refuse(false);
        closeAsDevice(config, 300);
        odd.refuse(true);
        vm.expectRevert(IShareChannels.TokenRefused.selector);
        channels.withdraw(payee);
        vm.assertEq(channels.earned(payee), 300);
    }

    function test_a_token_that_accepts_any_call_and_moves_nothing_opens_nothing() public {
        use(new PhantomToken());
        IShareChannels.ChannelConfig memory config = newConfig(1);
        refuses(IShareChannels.TokenUnderpaid.selector, DEPOSIT, 0);
        channels.openWithAuthorization(config, DEPOSIT, 0, type(uint256).max, 0, noSignature());
        IShareChannels.Signature memory byPayer = openSignature(PAYER_KEY, config, DEPOSIT, START);
        refuses(IShareChannels.TokenUnderpaid.selector, DEPOSIT, 0);
        channels.openWithPermit(config, DEPOSIT, START, noSignature(), byPayer);
        refuses(IShareChannels.TokenUnderpaid.selector, DEPOSIT, 0);
        open(1, DEPOSIT);
    }

    function test_a_token_that_keeps_a_part_opens_nothing() public {
        use(new TakingToken());
        refuses(IShareChannels.TokenUnderpaid.selector, DEPOSIT, DEPOSIT - 1);
        open(1, DEPOSIT);
    }

    function test_calling_back_while_money_goes_out_gains_nothing() public {
        ReenteringToken odd = new ReenteringToken();
        use(odd);
        odd.give(payer, DEPOSIT);
        IShareChannels.ChannelConfig memory config = open(1, DEPOSIT);
        open(2, DEPOSIT);
        vm.warp(config.expiry);
        odd.arm(address(channels), abi.encodeCall(IShareChannels.reclaim, (config)));
        channels.reclaim(config);
        vm.assertTrue(odd.hasReentered());
        vm.assertFalse(odd.hasSucceeded());
        vm.assertEq(odd.balanceOf(payer), DEPOSIT);

        closeAsDevice(newConfig(2), DEPOSIT);
        odd.arm(address(channels), abi.encodeCall(IShareChannels.withdraw, (payee)));
        channels.withdraw(payee);
        vm.assertTrue(odd.hasReentered());
        vm.assertFalse(odd.hasSucceeded());
        odd.arm(address(channels), abi.encodeCall(IShareChannels.burnFees, ()));
        channels.burnFees();
        vm.assertFalse(odd.hasSucceeded());
        vm.assertEq(odd.balanceOf(address(channels)), 0);
    }

    function test_calling_back_while_money_comes_in_gains_nothing() public {
        ReenteringToken odd = new ReenteringToken();
        use(odd);
        IShareChannels.ChannelConfig memory config = newConfig(1);
        bytes memory again = abi.encodeCall(
            IShareChannels.openWithPermit,
            (config, DEPOSIT, START, noSignature(), openSignature(PAYER_KEY, config, DEPOSIT, START))
        );
        odd.arm(address(channels), again);
        vm.prank(payer);
        channels.open(config, DEPOSIT);
        vm.assertTrue(odd.hasReentered());
        vm.assertFalse(odd.hasSucceeded());
        vm.assertEq(stateOf(config).deposit, odd.balanceOf(address(channels)));
    }

    function use(HostileToken odd) private {
        channels = deployChannels(address(odd));
        odd.give(payer, DEPOSIT);
    }

    function closeAsDevice(IShareChannels.ChannelConfig memory config, uint64 amount) private {
        IShareChannels.Claim memory item = claimOf(config, amount, amount);
        vm.prank(device);
        channels.close(item);
    }
}
