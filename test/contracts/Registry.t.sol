// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceRegistry} from "../../contracts/IDeviceRegistry.sol";
import {RewardsTest} from "./RewardsTest.sol";

contract RegistryTest is RewardsTest {
    function test_an_attested_device_is_attested_until_its_term_ends() public {
        setVendor(1, true);
        vm.assertFalse(registry.isAttested(device));
        register(device);
        vm.assertTrue(registry.isAttested(device));
        vm.assertEq(registry.vendors(7).registered, 1);
        vm.warp(START + 365 days);
        vm.assertTrue(registry.isAttested(device));
        vm.warp(START + 365 days + 1);
        vm.assertFalse(registry.isAttested(device));
    }

    function test_only_the_registrar_names_vendors() public {
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.NotRegistrar.selector, registrar, vendor));
        vm.prank(vendor);
        registry.setVendor(7, vendor, 1, true);
        vm.expectRevert(IDeviceRegistry.ZeroVendor.selector);
        vm.prank(registrar);
        registry.setVendor(0, vendor, 1, true);
    }

    function testFuzz_an_attestation_by_or_for_anyone_else_is_refused(uint8 what) public {
        setVendor(9, true);
        uint40 notAfter = uint40(START + 1);
        IDeviceRegistry.Signature memory signature =
            attestation(what % 4 == 0 ? STRANGER_KEY : VENDOR_KEY, 7, device, notAfter);
        address which = what % 4 == 1 ? stranger : device;
        bytes32 model = what % 4 == 2 ? bytes32("SSP-AP-2") : bytes32("SSP-AP-1");
        if (what % 4 == 3) notAfter += 1;
        vm.expectPartialRevert(IDeviceRegistry.WrongSigner.selector);
        registry.register(7, which, model, notAfter, signature);
    }

    function test_quota_inactive_vendors_and_expired_attestations() public {
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.VendorInactive.selector, 7));
        this.registerIt(device);
        setVendor(1, true);
        register(device);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.QuotaUsedUp.selector, 1));
        this.registerIt(signer);
        setVendor(2, true);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceKnown.selector, device));
        this.registerIt(device);
        vm.warp(START + 366 days);
        vm.expectPartialRevert(IDeviceRegistry.AttestationExpired.selector);
        this.registerIt(signer);
        vm.warp(START);
        setVendor(2, false);
        vm.assertFalse(registry.isAttested(device));
    }

    /// Without it a device whose attestation ended would never be attested again, and keep its place in the quota.
    function testFuzz_a_vendor_puts_off_the_end_of_an_attestation_and_nobody_puts_it_back(uint32 later) public {
        setVendor(1, true);
        register(device);
        uint40 before = registry.devices(device).notAfter;
        uint40 notAfter = before + 1 + later;
        vm.warp(before + 1);
        vm.assertFalse(registry.isAttested(device));
        registry.register(7, device, bytes32("SSP-AP-1"), notAfter, attestation(VENDOR_KEY, 7, device, notAfter));
        vm.assertTrue(registry.isAttested(device));
        vm.assertEq(registry.vendors(7).registered, 1);
        vm.assertEq(registry.devices(device).registeredAt, START);
        IDeviceRegistry.Signature memory signature = attestation(VENDOR_KEY, 7, device, notAfter);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceKnown.selector, device));
        registry.register(7, device, bytes32("SSP-AP-1"), notAfter, signature);
        vm.prank(vendor);
        registry.revoke(device);
        signature = attestation(VENDOR_KEY, 7, device, notAfter + 1);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceKnown.selector, device));
        registry.register(7, device, bytes32("SSP-AP-1"), notAfter + 1, signature);
    }

    function test_a_revoked_device_stays_revoked_and_frees_its_place() public {
        setVendor(1, true);
        register(device);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.NotVendor.selector, vendor, stranger));
        vm.prank(stranger);
        registry.revoke(device);
        vm.prank(vendor);
        registry.revoke(device);
        vm.assertFalse(registry.isAttested(device));
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceIsRevoked.selector, device));
        vm.prank(registrar);
        registry.revoke(device);
        register(signer);
        setVendor(2, true);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceKnown.selector, device));
        this.registerIt(device);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceUnknown.selector, stranger));
        vm.prank(vendor);
        registry.revoke(stranger);
    }

    function test_bindings_come_in_order_and_none_comes_back() public {
        IDeviceRegistry.Signature memory old = bindingSignature(DEVICE_KEY, device, operator, 0);
        registry.bind(device, operator, 0, old);
        bind(DEVICE_KEY, stranger, 1);
        vm.assertEq(registry.operatorOf(device), stranger);
        refuses(IDeviceRegistry.WrongNonce.selector, 2, 0);
        registry.bind(device, operator, 0, old);
        vm.expectPartialRevert(IDeviceRegistry.WrongSigner.selector);
        registry.bind(device, operator, 2, old);
        IDeviceRegistry.Signature memory byOther = bindingSignature(STRANGER_KEY, device, operator, 2);
        vm.expectPartialRevert(IDeviceRegistry.WrongSigner.selector);
        registry.bind(device, operator, 2, byOther);
        IDeviceRegistry.Signature memory none;
        vm.expectPartialRevert(IDeviceRegistry.WrongSigner.selector);
        registry.bind(address(0), operator, 0, none);
        vm.expectRevert(IDeviceRegistry.MissingOperator.selector);
        registry.bind(device, address(0), 2, byOther);
    }

    function testFuzz_two_proofs_for_one_place_burn_the_bond(uint64 bond, uint64 bytesUp) public {
        vm.assume(bytesUp != 0);
        bond = uint64(bound(bond, 1, 1_000_000_000));
        setVendor(1, true);
        register(device);
        bind(DEVICE_KEY, operator, 0);
        bondFor(device, bond);
        (IDeviceRegistry.TrafficProof memory a, IDeviceRegistry.TrafficProof memory b) = twoProofs();
        b.bytesUp = bytesUp;
        slash(DEVICE_KEY, a, b);
        vm.assertFalse(registry.isAttested(device));
        vm.assertEq(registry.bondOf(device), 0);
        vm.assertEq(token.balanceOf(stranger), bond / 10);
        vm.assertEq(token.balanceOf(BURNED), bond - bond / 10);
        vm.assertEq(token.balanceOf(address(registry)), 0);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceIsSlashed.selector, device));
        this.slash(DEVICE_KEY, a, b);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.DeviceIsSlashed.selector, device));
        vm.prank(operator);
        registry.addBond(device, 1);
    }

    function test_an_honest_device_cannot_be_slashed() public {
        (IDeviceRegistry.TrafficProof memory a, IDeviceRegistry.TrafficProof memory b) = twoProofs();
        vm.expectRevert(IDeviceRegistry.TheSameProof.selector);
        this.slash(DEVICE_KEY, a, a);
        vm.expectPartialRevert(IDeviceRegistry.WrongSigner.selector);
        this.slash(STRANGER_KEY, a, b);
        b.seq += 1;
        vm.expectRevert(IDeviceRegistry.NotTheSamePlace.selector);
        this.slash(DEVICE_KEY, a, b);
        (b.seq, b.epoch) = (a.seq, a.epoch + 1);
        vm.expectRevert(IDeviceRegistry.NotTheSamePlace.selector);
        this.slash(DEVICE_KEY, a, b);
        (b.epoch, b.device) = (a.epoch, stranger);
        vm.expectRevert(IDeviceRegistry.NotTheSamePlace.selector);
        this.slash(DEVICE_KEY, a, b);
        // Nobody's signature recovers to zero; a proof of nobody is nobody's.
        (a.device, b.device) = (address(0), address(0));
        IDeviceRegistry.Signature memory none;
        vm.expectPartialRevert(IDeviceRegistry.WrongSigner.selector);
        registry.slashEquivocation(a, none, b, none);
    }

    /// Nobody can take the one place of a device's bond from its operator: neither a stranger first, nor a former operator.
    function test_only_the_operator_bonds_and_a_former_one_makes_room() public {
        refusesBondOf(address(0), stranger);
        bind(DEVICE_KEY, operator, 0);
        refusesBondOf(operator, stranger);
        bondFor(device, 500);
        bind(DEVICE_KEY, other, 1);
        refusesBondOf(operator, other);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.NotBondOwner.selector, operator, stranger));
        vm.prank(stranger);
        registry.leaveBond(device);
        vm.prank(other);
        registry.leaveBond(device);
        vm.warp(START + 45 days);
        registry.returnBond(device);
        vm.assertEq(token.balanceOf(operator), 1_000_000_000);
        refusesBondOf(other, operator);
    }

    function refusesBondOf(address mayBond, address who) internal {
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.NotBondOwner.selector, mayBond, who));
        vm.prank(who);
        registry.addBond(device, 1);
    }

    function test_a_bond_leaves_after_45_days_and_can_be_slashed_until_it_is_gone() public {
        bind(DEVICE_KEY, operator, 0);
        bondFor(device, 500);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.NotBondOwner.selector, operator, stranger));
        vm.prank(stranger);
        registry.addBond(device, 1);
        bondFor(device, 300);
        vm.assertEq(registry.bondOf(device), 800);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.BondStays.selector, device));
        registry.returnBond(device);
        vm.prank(operator);
        registry.leaveBond(device);
        vm.assertEq(registry.bondOf(device), 0);
        refuses(IDeviceRegistry.NotLeavingYet.selector, START + 45 days, START);
        registry.returnBond(device);
        vm.expectPartialRevert(IDeviceRegistry.BondIsLeaving.selector);
        vm.prank(operator);
        registry.addBond(device, 1);
        vm.expectPartialRevert(IDeviceRegistry.BondIsLeaving.selector);
        vm.prank(operator);
        registry.leaveBond(device);
        vm.warp(START + 45 days);
        registry.returnBond(device);
        vm.assertEq(token.balanceOf(operator), 1_000_000_000);
        vm.expectRevert(abi.encodeWithSelector(IDeviceRegistry.BondStays.selector, device));
        registry.returnBond(device);
        bondFor(device, 700);
        vm.prank(operator);
        registry.leaveBond(device);
        (IDeviceRegistry.TrafficProof memory a, IDeviceRegistry.TrafficProof memory b) = twoProofs();
        slash(DEVICE_KEY, a, b);
        vm.assertEq(token.balanceOf(BURNED), 630);
    }

    function slash(uint256 key, IDeviceRegistry.TrafficProof memory a, IDeviceRegistry.TrafficProof memory b) public {
        IDeviceRegistry.Signature memory first_ = proofSignature(key, a);
        IDeviceRegistry.Signature memory second = proofSignature(key, b);
        vm.prank(stranger);
        registry.slashEquivocation(a, first_, b, second);
    }

    /// @dev A call of its own, so that expectRevert sees the registry's error.
    function registerIt(address which) external {
        register(which);
    }

    function twoProofs()
        private
        view
        returns (IDeviceRegistry.TrafficProof memory a, IDeviceRegistry.TrafficProof memory b)
    {
        a.device = device;
        (a.epoch, a.seq, a.startS, a.endS) = (uint32(first), 4, uint40(START), uint40(START + 300));
        b = abi.decode(abi.encode(a), (IDeviceRegistry.TrafficProof));
        b.paid = 1;
    }
}
