(** * The order of correlation that determines the members of the family A+-

    The pair (axis atom, ring atom) of A+ occurs at most n times, n the number of atoms of one ring.  By the upper
    bound, correlations of order nu with 2^(nu-2) > n determine A+ among all environments: nu = 4 for the
    paper's B8 pairs (n = 3), where nu = 3 fails by Theorem A; nu = 5 for the pair of Theorem B (n = 6), where
    nu = 4 fails.  Both orders are therefore exact. *)

Require Import Reals Lra List Permutation Arith Lia ZArith Bool.
Import ListNotations.
From Symtrip Require Import Space TupleSums Environments CollinearDecks UpperBound TwoRings Congruence
  CyclicRings TheoremA TheoremB.
Open Scope R_scope.

Section Family.
Context {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b}).
Variables (ring_label axis_label : label) (r z1 z2 psi : R) (angles : list R).
Hypothesis radius : r <> 0.
Hypothesis ring_height : z1 <> 0.
Hypothesis axis_height : z2 <> 0.
Hypothesis distinguishable : axis_label <> ring_label \/ z2 * z2 <> r * r + z1 * z1.

Let plus := two_rings ring_label r z1 psi angles [(axis_label, z2)].
Let axis_atom := axis (axis_label, z2).

Lemma ring_atom_unlike_axis (a : atom) :
  In a (map (upper ring_label r z1) angles ++ map (lower ring_label r z1 psi) angles) ->
  axis_label <> fst a \/ dot (snd axis_atom) (snd axis_atom) <> dot (snd a) (snd a).
Proof.
  intro I. assert (E : fst a = ring_label /\ dot (snd a) (snd a) = r * r + z1 * z1).
  { apply in_app_or in I as [I|I]; apply in_map_iff in I as (p & <- & _); simpl; split; trivial;
      unfold dot; simpl; [pose proof (cos_sin_unit p) | pose proof (cos_sin_unit (p + psi))]; nra. }
  destruct E as [-> ->]. destruct distinguishable as [D|D]; [left; exact D | right].
  unfold axis_atom, dot; simpl. lra.
Qed.

Lemma axis_pair_multiplicity p :
  (multiplicity label_dec plus axis_atom (upper ring_label r z1 p) <= length angles)%nat.
Proof.
  apply INR_le. unfold multiplicity. rewrite <- lsum_indicator, lsum_list_prod.
  set (s := fun x y => similar label_dec axis_atom (upper ring_label r z1 p) x y).
  set (rings := map (upper ring_label r z1) angles ++ map (lower ring_label r z1 psi) angles).
  assert (split_plus : plus = rings ++ [axis_atom]) by (unfold plus, two_rings, rings; rewrite <- app_assoc; reflexivity).
  (* The first atom of a similar pair is the axis atom. *)
  assert (first : lsum (fun x => lsum (fun y => indicator (s x y)) plus) rings = 0).
  { apply lsum_zero; intros x Ix. apply lsum_zero; intros y _.
    destruct (s x y) eqn:S; [exfalso | reflexivity]. apply similar_true in S as (L & _ & G).
    injection G as G _ _. destruct (ring_atom_unlike_axis x Ix) as [D|D]; [apply D, L | apply D, G]. }
  (* The second one is on the upper ring. *)
  assert (second : lsum (fun y => indicator (s axis_atom y)) plus <= INR (length angles)).
  { rewrite split_plus. unfold rings. rewrite !lsum_app, !lsum_map.
    assert (low : lsum (fun q => indicator (s axis_atom (lower ring_label r z1 psi q))) angles = 0).
    { apply lsum_zero; intros q _. destruct (s axis_atom _) eqn:S; [exfalso | reflexivity].
      apply similar_true in S as (_ & _ & G). injection G as G _.
      unfold axis_atom, dot in G; simpl in G. assert (z1 * z2 = 0) by lra.
      apply Rmult_integral in H as []; auto. }
    assert (up : lsum (fun q => indicator (s axis_atom (upper ring_label r z1 q))) angles <= INR (length angles)).
    { clear. induction angles as [|q l IH]; [simpl; lra|]. cbn [lsum length]. rewrite S_INR.
      destruct (s axis_atom (upper ring_label r z1 q)); unfold indicator at 1; lra. }
    assert (top : lsum (fun y => indicator (s axis_atom y)) [axis_atom] = 0).
    { simpl. destruct (s axis_atom axis_atom) eqn:S; [exfalso | unfold indicator; ring].
      apply similar_true in S as (_ & L & G). injection G as _ G'.
      destruct distinguishable as [D|D]; [apply D; symmetry; exact L | apply D].
      unfold dot in G'; simpl in G'. pose proof (cos_sin_unit p). nra. }
    rewrite low, top. lra. }
  set (row := fun x => lsum (fun y => indicator (s x y)) plus) in *.
  change (lsum row plus <= INR (length angles)).
  replace (lsum row plus) with (lsum row (rings ++ [axis_atom])) by (rewrite <- split_plus; reflexivity).
  rewrite lsum_app, first. simpl lsum. change (row axis_atom <= INR (length angles)) in second. lra.
Qed.

Lemma axis_pair_noncollinear p : ~ collinear (snd axis_atom) (snd (upper ring_label r z1 p)).
Proof.
  unfold collinear, cross, vzero; simpl. intro E. injection E as E1 E2 _.
  pose proof (cos_sin_unit p) as U.
  assert (C : cos p = 0).
  { apply (Rmult_eq_reg_l (z2 * r)); [lra | apply Rmult_integral_contrapositive_currified; trivial]. }
  assert (S : sin p = 0).
  { apply (Rmult_eq_reg_l (z2 * r)); [lra | apply Rmult_integral_contrapositive_currified; trivial]. }
  rewrite C, S in U. lra.
Qed.

Lemma family_distinct : NoDup (map circle angles) -> NoDup plus.
Proof.
  intro ND.
  assert (inj : forall own : R -> @atom label, (forall p q, own p = own q -> circle p = circle q) -> NoDup (map own angles)).
  { intros own H. clear - ND H. induction angles as [|p l IH]; simpl in *; [constructor|].
    inversion ND as [|? ? N ND']; subst. constructor; auto. intro I. apply N.
    apply in_map_iff in I as (q & E & Iq). apply in_map_iff. exists q; auto. }
  assert (app_nodup : forall l m : list (@atom label), NoDup l -> NoDup m -> (forall x, In x l -> ~ In x m) -> NoDup (l ++ m)).
  { clear. induction l as [|x l IH]; simpl; intros m Nl Nm D; trivial. inversion Nl; subst. constructor.
    - rewrite in_app_iff. intros [I|I]; [auto | apply (D x); auto].
    - apply IH; auto. }
  unfold plus, two_rings. rewrite app_assoc. apply app_nodup; [apply app_nodup| |].
  - apply inj. intros p q E. injection E as E1 E2. unfold circle. f_equal; apply (Rmult_eq_reg_l r); trivial.
  - apply inj. intros p q E. injection E as E1 E2.
    apply Rmult_eq_reg_l in E1; trivial. apply Rmult_eq_reg_l in E2; trivial.
    assert (S : same_direction (p + psi) (q + psi)) by (split; trivial).
    apply same_direction_iff in S as [k S]. assert (S' : same_direction p q).
    { apply same_direction_iff. exists k. lra. }
    destruct S' as [C' S']. unfold circle. congruence.
  - intros x Ip Iq. apply in_map_iff in Ip as (p & <- & _). apply in_map_iff in Iq as (q & E & _).
    injection E as _ _ E. lra.
  - repeat constructor. intros [].
  - intros x Ix [<-|[]]. destruct (ring_atom_unlike_axis _ Ix) as [D|D]; apply D; reflexivity.
Qed.

(** Order nu with 2^(nu-2) > n determines A+ (and A-: the sign of z2 is free). *)
Theorem family_order nu Y :
  NoDup (map circle angles) -> angles <> [] -> NoDup Y -> (2 <= nu)%nat -> (length angles < 2 ^ (nu - 2))%nat ->
  same_correlations false nu plus Y -> congruent plus Y.
Proof.
  intros ND NE NY L2 L H.
  assert (A : exists p, In p angles) by (clear - NE; destruct angles as [|p l]; [congruence | exists p; left; reflexivity]).
  destruct A as [p Ip]. destruct (upper_bound label_dec false nu plus Y) as (g & [O D] & P); trivial.
  - apply family_distinct, ND.
  - right. exists axis_atom, (upper ring_label r z1 p). split; [|split; [|split]].
    + unfold plus, two_rings. rewrite !in_app_iff. right; right; left; reflexivity.
    + unfold plus, two_rings. rewrite !in_app_iff. left. apply in_map, Ip.
    + apply axis_pair_noncollinear.
    + simpl length. rewrite Nat.mul_1_l. apply (Nat.le_lt_trans _ (length angles)); trivial.
      apply axis_pair_multiplicity.
  - exists g. split; trivial. split; trivial. destruct D as [|[]]; [trivial | discriminate].
Qed.
End Family.

Lemma cyclic_distinct n xs : (0 < n)%Z -> NoDup (map (residue n) xs) -> NoDup (map circle (cyclic_ring n xs)).
Proof.
  intros N ND. unfold cyclic_ring. induction xs as [|x xs IH]; simpl in *; [constructor|].
  inversion ND as [|? ? I ND']; subst. constructor; auto. intro J. apply I.
  rewrite map_map in J. apply in_map_iff in J as (y & E & Iy). apply angle_circle in E; [|exact N].
  apply in_map_iff. exists y; auto.
Qed.

(** The 13-neighbour pair of Theorem B: order 5 separates it from everything else, order 4 does not from A-. *)
Theorem hexad_order_is_five {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b})
    (ring_label axis_label : label) r z1 z2 psi :
  r <> 0 -> z1 <> 0 -> z2 <> 0 -> axis_label <> ring_label \/ z2 * z2 <> r * r + z1 * z1 ->
  let plus := two_rings ring_label r z1 psi ring12 [(axis_label, z2)] in
  let minus := two_rings ring_label r z1 psi ring12 [(axis_label, - z2)] in
  (forall Y, NoDup Y -> same_correlations false 5 plus Y -> congruent plus Y) /\
  same_correlations false 4 plus minus /\ ~ congruent plus minus.
Proof.
  intros Hr Hz1 Hz2 Hd plus minus. split; [|split].
  - intros Y NY. apply (family_order label_dec _ _ _ _ _ _ ring12); trivial; try (simpl; lia); [|discriminate].
    apply cyclic_distinct; [lia|]. vm_compute. repeat constructor; simpl; intuition discriminate.
  - intros f Hf. apply (theorem_B ring_label r z1 psi [(axis_label, z2)]); [lia|].
    intros M t [O D]. apply Hf. split; auto.
  - apply theorem_B_not_congruent; trivial.
Qed.

(** Seven neighbours: every pair A+- with rings of three atoms at distinct angles is separated by order 4. *)
Theorem three_atom_rings_order_four {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b})
    (ring_label axis_label : label) r z1 z2 psi p1 p2 p3 :
  r <> 0 -> z1 <> 0 -> z2 <> 0 -> axis_label <> ring_label \/ z2 * z2 <> r * r + z1 * z1 ->
  NoDup (map circle [p1; p2; p3]) ->
  forall Y, NoDup Y ->
  let plus := two_rings ring_label r z1 psi [p1; p2; p3] [(axis_label, z2)] in
  same_correlations false 4 plus Y -> congruent plus Y.
Proof.
  intros Hr Hz1 Hz2 Hd ND Y NY plus. apply (family_order label_dec); trivial; [discriminate | lia | simpl; lia].
Qed.

Print Assumptions family_order.
Print Assumptions hexad_order_is_five.
Print Assumptions three_atom_rings_order_four.
