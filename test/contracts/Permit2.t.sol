// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {SspToken} from "../../contracts/tokens/SspToken.sol";
import {ChannelTest} from "./ChannelTest.sol";
import {StandInPermit2} from "./tokens/StandInPermit2.sol";

/// @dev With the token that is shaped like the real SSP: no permit, no EIP-3009. Permit2 itself is a stand-in.
contract Permit2Test is ChannelTest {
    function setUp() public override {
        vm.warp(START);
        token = SspToken(deployArtifact("LegacySspToken", abi.encode(payer, SUPPLY)));
        channels = deployChannels(address(token));
        vm.etch(PERMIT2, address(new StandInPermit2()).code);
        vm.prank(payer);
        token.approve(PERMIT2, SUPPLY);
    }

    function testFuzz_anyone_opens_with_the_payers_transfer(uint64 amount, uint256 n, address relayer) public {
        amount = uint64(bound(amount, 1, SUPPLY));
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory signature = permit2Signature(PAYER_KEY, config, amount, n);
        vm.prank(relayer);
        channels.openWithPermit2(config, amount, START, n, signature);
        vm.assertEq(stateOf(config).deposit, amount);
        vm.assertEq(token.balanceOf(address(channels)), amount);
        vm.expectRevert(StandInPermit2.InvalidNonce.selector);
        channels.openWithPermit2(config, amount, START, n, signature);
    }

    function test_a_top_up_is_another_deposit() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        channels.openWithPermit2(config, 500, START, 0, permit2Signature(PAYER_KEY, config, 500, 0));
        channels.openWithPermit2(config, 300, START, 1, permit2Signature(PAYER_KEY, config, 300, 1));
        vm.assertEq(stateOf(config).deposit, 800);
    }

    function testFuzz_a_relayer_can_change_nothing_of_it(uint8 what, uint64 by) public {
        by = uint64(bound(by, 1, 1_000));
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory signature = permit2Signature(PAYER_KEY, config, 500, 0);
        uint64 amount = 500;
        uint256 n = 0;
        what = what % 6;
        if (what == 0) amount += by;
        if (what == 1) n += by;
        if (what == 2) config.payee = stranger;
        if (what == 3) config.signer = stranger;
        if (what == 4) config.expiry += uint40(by);
        if (what == 5) config.salt = bytes32(uint256(by) + 1);
        vm.expectRevert(StandInPermit2.InvalidSigner.selector);
        channels.openWithPermit2(config, amount, START, n, signature);
    }

    function test_another_signer_and_a_late_relay_are_refused() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory byStranger = permit2Signature(STRANGER_KEY, config, 500, 0);
        vm.expectRevert(StandInPermit2.InvalidSigner.selector);
        channels.openWithPermit2(config, 500, START, 0, byStranger);
        IShareChannels.Signature memory byPayer = permit2Signature(PAYER_KEY, config, 500, 0);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(StandInPermit2.SignatureExpired.selector, START));
        channels.openWithPermit2(config, 500, START, 0, byPayer);
    }

    function test_where_there_is_no_Permit2_nothing_opens() public {
        IShareChannels.ChannelConfig memory config = newConfig(1);
        IShareChannels.Signature memory signature = permit2Signature(PAYER_KEY, config, 500, 0);
        vm.etch(PERMIT2, "");
        vm.expectRevert();
        channels.openWithPermit2(config, 500, START, 0, signature);
        // One that accepts everything and moves nothing.
        vm.etch(PERMIT2, hex"00");
        refuses(IShareChannels.TokenUnderpaid.selector, 500, 0);
        channels.openWithPermit2(config, 500, START, 0, signature);
    }
}
