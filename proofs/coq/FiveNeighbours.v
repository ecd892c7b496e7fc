(** * Theorem B is sharp: an invariant of five neighbours that tells A+ from A-

    The indicator of "an axis atom and four ring atoms of one ring, seen from the axis atom at the angles
    x, x + 30, x + 90, x + 150 degrees" is a rotation invariant.  Its sum over A+ is the number of quadruples
    {x, x+1, x+3, x+5} of Z_12 in the ring, which is 1; over A- it is their number in the mirrored ring, 0. *)

Require Import Reals Lra List Permutation Arith Lia ZArith Bool.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums TwoRings Congruence CyclicRings TheoremB.
Open Scope R_scope.

Definition equal (x y : R) : bool := if Req_EM_T x y then true else false.

Lemma equal_true x y : equal x y = true <-> x = y.
Proof. unfold equal. destruct (Req_EM_T x y); split; congruence. Qed.

Lemma equal_false x y : x <> y -> equal x y = false.
Proof. unfold equal. destruct (Req_EM_T x y); congruence. Qed.

(** A sum that starts at the atoms satisfying [p] and goes on with those satisfying [q]. *)
Lemma tsum_filter {A} n (q : A -> bool) (g : list A -> R) X :
  tsum n (fun t => indicator (forallb q t) * g t) X = tsum n g (filter q X).
Proof.
  revert g; induction n; intro g; simpl; [unfold indicator; ring|].
  assert (E : forall Y, lsum (fun x => tsum n (fun t => indicator (forallb q (x :: t)) * g (x :: t)) X) Y =
                        lsum (fun x => tsum n (fun t => g (x :: t)) (filter q X)) (filter q Y)).
  { induction Y as [|x Y IH]; trivial. cbn [lsum filter]. rewrite IH. simpl. destruct (q x); simpl.
    - rewrite <- (IHn (fun t => g (x :: t))). reflexivity.
    - rewrite tsum_zero; [ring|]. intros; unfold indicator; ring. }
  apply E.
Qed.

Section Invariant.
Variables (ring_label axis_label : nat) (r z1 z2 psi : R).
Notation atom := (@atom nat).

Definition is_axis_atom (x : atom) : bool :=
  Nat.eqb (fst x) axis_label && equal (dot (snd x) (snd x)) (z2 * z2).

(** A ring atom on the same side of the centre as the axis atom [h] (for z1 z2 > 0). *)
Definition is_ring_atom (h x : atom) : bool :=
  Nat.eqb (fst x) ring_label && equal (dot (snd x) (snd x)) (r * r + z1 * z1)
  && equal (dot (snd h) (snd x)) (z1 * z2).

(** The ring atom [y] is a multiple [a] of 30 degrees further than [x], seen from the axis atom [h]. *)
Definition is_further (h x y : atom) (a : Z) : bool :=
  equal (dot (snd x) (snd y)) (r * r * cos (angle 12 a) + z1 * z1)
  && equal (det (snd h) (snd x) (snd y)) (z2 * (r * r * sin (angle 12 a))).

Fixpoint all_further (h x : atom) (t : list atom) (c : list Z) : bool :=
  match t, c with
  | [], [] => true
  | y :: t, a :: c => is_further h x y a && all_further h x t c
  | _, _ => false
  end.

Definition quadruple : list Z := [0; 1; 3; 5]%Z.

Definition five_neighbours (t : list atom) : R :=
  match t with
  | h :: x :: u => indicator (is_axis_atom h) *
      (indicator (forallb (is_ring_atom h) (x :: u)) * indicator (all_further h x (x :: u) quadruple))
  | _ => 0
  end.

Lemma five_neighbours_invariant : invariant five_neighbours.
Proof.
  intros M t RM. destruct t as [|h [|x u]]; trivial. unfold five_neighbours.
  pose proof (proj1 RM) as O.
  assert (A : is_axis_atom (move M h) = is_axis_atom h).
  { unfold is_axis_atom, move; simpl. rewrite orthogonal_dot; trivial. }
  assert (B : forall y, is_ring_atom (move M h) (move M y) = is_ring_atom h y).
  { intro y. unfold is_ring_atom, move; simpl. rewrite !orthogonal_dot; trivial. }
  assert (C : forall l c, all_further (move M h) (move M x) (map (move M) l) c = all_further h x l c).
  { induction l as [|y l IH]; intros [|a c]; trivial. simpl. rewrite IH. f_equal.
    unfold is_further, move; simpl. rewrite orthogonal_dot, rotation_det; trivial. }
  assert (D : forall l, forallb (is_ring_atom (move M h)) (map (move M) l) = forallb (is_ring_atom h) l).
  { induction l as [|y l IH]; trivial. simpl. rewrite B, IH; trivial. }
  cbn [map]. rewrite A. change (move M x :: map (move M) u) with (map (move M) (x :: u)).
  rewrite D, C. reflexivity.
Qed.

Hypothesis radius : r <> 0.
Hypothesis ring_height : z1 <> 0.
Hypothesis axis_height : z2 <> 0.
Hypothesis distinguishable : axis_label <> ring_label \/ z2 * z2 <> r * r + z1 * z1.

Definition environment (h : R) := two_rings ring_label r z1 psi ring12 [(axis_label, h)].

(** The value of the sum, once the ring that [h] sees as its own is known. *)
Lemma sum_at_axis_atom h (own : R -> atom) :
  h * h = z2 * z2 ->
  filter (is_ring_atom (axis (axis_label, h))) (environment h) = map own ring12 ->
  tsum 5 five_neighbours (environment h) =
  lsum (fun t => indicator (match t with
    | [] => false
    | x :: _ => all_further (axis (axis_label, h)) (own (angle 12 x)) (map (fun y => own (angle 12 y)) t) quadruple
    end)) (tuples 4 hexad).
Proof.
  intros Hh Hf. set (H := axis (axis_label, h) : atom).
  assert (ring_no_axis : forall x : atom, fst x = ring_label -> dot (snd x) (snd x) = r * r + z1 * z1 ->
                         is_axis_atom x = false).
  { intros x L D. unfold is_axis_atom. rewrite L, D.
    destruct distinguishable as [E|E].
    - apply Nat.eqb_neq in E. rewrite Nat.eqb_sym, E. reflexivity.
    - rewrite equal_false, andb_false_r by (intro; apply E; congruence). reflexivity. }
  assert (only_axis : filter is_axis_atom (environment h) = [H]).
  { unfold environment, two_rings. rewrite !filter_app.
    rewrite (filter_none _ (map (upper _ _ _) _)), (filter_none _ (map (lower _ _ _ _) _)).
    - simpl. unfold is_axis_atom; simpl. rewrite Nat.eqb_refl. simpl.
      rewrite (proj2 (equal_true _ _)); [reflexivity|]. unfold dot; simpl. lra.
    - intros x I. apply in_map_iff in I as (p & <- & _). apply ring_no_axis; trivial.
      unfold dot; simpl. pose proof (cos_sin_unit (p + psi)). nra.
    - intros x I. apply in_map_iff in I as (p & <- & _). apply ring_no_axis; trivial.
      unfold dot; simpl. pose proof (cos_sin_unit p). nra. }
  transitivity (lsum (fun x => indicator (is_axis_atom x) * tsum 4 (fun u =>
    match u with [] => 0 | y :: _ => indicator (forallb (is_ring_atom x) u) *
                                     indicator (all_further x y u quadruple) end) (environment h)) (environment h)).
  { change (tsum 5 five_neighbours (environment h)) with
      (lsum (fun x => tsum 4 (fun u => five_neighbours (x :: u)) (environment h)) (environment h)).
    apply lsum_ext; intros x _. rewrite <- tsum_scal.
    apply tsum_ext; intros u L _. destruct u; [discriminate|]. reflexivity. }
  assert (at_axis : forall X F, lsum (fun x => indicator (is_axis_atom x) * F x) X = lsum F (filter is_axis_atom X)).
  { intros X F. induction X as [|x X IH]; trivial. cbn [lsum filter]. rewrite IH.
    destruct (is_axis_atom x); unfold indicator; simpl; ring. }
  rewrite at_axis, only_axis. cbn [lsum]. rewrite Rplus_0_r.
  transitivity (tsum 4 (fun u => indicator (forallb (is_ring_atom H) u) *
    indicator (match u with [] => false | y :: _ => all_further H y u quadruple end)) (environment h)).
  { apply tsum_ext; intros u L _. destruct u; [discriminate|]. reflexivity. }
  rewrite tsum_filter. unfold H. rewrite Hf. unfold ring12, cyclic_ring. rewrite map_map, tsum_map, tsum_lsum.
  apply lsum_ext; intros t _. destruct t; reflexivity.
Qed.

Lemma quadruple_sum h own sign :
  h * h = z2 * z2 ->
  filter (is_ring_atom (axis (axis_label, h))) (environment h) = map own ring12 ->
  (forall x y a, is_further (axis (axis_label, h)) (own (angle 12 x)) (own (angle 12 y)) a = true <->
                 same_direction (angle 12 (sign * y - sign * x)) (angle 12 a)) ->
  tsum 5 five_neighbours (environment h) =
  INR (count (cyclic_deck 12 4 (map (Z.mul sign) hexad)) quadruple).
Proof.
  intros Hh Hf Hs. rewrite (sum_at_axis_atom h own Hh Hf).
  assert (E : forall u x c, Forall (fun a => residue 12 a = a) c ->
    all_further (axis (axis_label, h)) (own (angle 12 x)) (map (fun y => own (angle 12 y)) u) c =
    if list_dec (map (fun y => residue 12 (y - sign * x)) (map (Z.mul sign) u)) c then true else false).
  { induction u as [|y u IH]; intros x [|a c] R; try reflexivity. inversion R as [|? ? Ra Rc]; subst.
    cbn [all_further map]. rewrite IH by trivial.
    destruct (is_further (axis (axis_label, h)) (own (angle 12 x)) (own (angle 12 y)) a) eqn:F; cbn [andb].
    - apply Hs, angle_direction in F; [|lia].
      assert (Fr : residue 12 (sign * y - sign * x) = a) by (rewrite <- Ra; exact F).
      repeat match goal with |- context [list_dec ?l ?m] => destruct (list_dec l m) end;
        trivial; congruence.
    - match goal with |- context [list_dec ?l ?m] => destruct (list_dec l m) as [I|] end; trivial.
      injection I as I1 I2. rewrite <- F. apply Hs, angle_direction; [lia|].
      rewrite <- Ra in I1. exact I1. }
  unfold count, cyclic_deck.
  rewrite tuples_map, map_map.
  rewrite count_occ_indicator, lsum_map. apply lsum_ext; intros t It. apply tuples_spec in It as [L _].
  destruct t as [|x t]; [discriminate|].
  rewrite E by (repeat constructor). unfold class. cbn [map].
  match goal with |- context [list_dec ?l ?m] => destruct (list_dec l m) end; reflexivity.
Qed.

Lemma ring_dot z p q :
  dot (V (r * cos p) (r * sin p) z) (V (r * cos q) (r * sin q) z) = r * r * cos (q - p) + z * z.
Proof. rewrite cos_minus. unfold dot; simpl; ring. Qed.

Lemma ring_det h z p q :
  det (V 0 0 h) (V (r * cos p) (r * sin p) z) (V (r * cos q) (r * sin q) z) = h * (r * r * sin (q - p)).
Proof. rewrite sin_minus. unfold det, dot, cross; simpl; ring. Qed.

(** Which ring the axis atom sees as its own. *)
Lemma own_ring h z own other X :
  X = map own ring12 ++ map other ring12 ++ [axis (axis_label, h)] \/
  X = map other ring12 ++ map own ring12 ++ [axis (axis_label, h)] ->
  h * z = z1 * z2 -> z * z = z1 * z1 -> h * h = z2 * z2 ->
  (forall p, exists q, own p = (ring_label, V (r * cos q) (r * sin q) z)) ->
  (forall p, exists q, other p = (ring_label, V (r * cos q) (r * sin q) (- z))) ->
  filter (is_ring_atom (axis (axis_label, h))) X = map own ring12.
Proof.
  intros HX Hz Z HH Own Other.
  assert (P : z1 * z2 <> 0) by (apply Rmult_integral_contrapositive_currified; trivial).
  assert (K : filter (is_ring_atom (axis (axis_label, h))) (map own ring12) = map own ring12).
  { apply filter_all. intros x I. apply in_map_iff in I as (p & <- & _). destruct (Own p) as [q ->].
    unfold is_ring_atom; simpl. rewrite Nat.eqb_refl, !(proj2 (equal_true _ _)); trivial.
    - unfold dot; simpl. lra.
    - rewrite ring_dot. replace (q - q) with 0 by ring. rewrite cos_0. lra. }
  assert (D : filter (is_ring_atom (axis (axis_label, h))) (map other ring12) = []).
  { apply filter_none. intros x I. apply in_map_iff in I as (p & <- & _). destruct (Other p) as [q ->].
    unfold is_ring_atom; simpl. rewrite (equal_false (dot _ _) (z1 * z2)); [apply andb_false_r|].
    unfold dot; simpl. lra. }
  assert (A : filter (is_ring_atom (axis (axis_label, h))) [axis (axis_label, h)] = []).
  { apply filter_none. intros x [<-|[]]. unfold is_ring_atom; simpl.
    destruct distinguishable as [E|E].
    - apply Nat.eqb_neq in E. rewrite E. reflexivity.
    - rewrite (equal_false _ (r * r + z1 * z1)), andb_false_r; trivial.
      unfold dot; simpl. lra. }
  destruct HX as [-> | ->]; rewrite !filter_app, K, D, A; simpl; rewrite ?app_nil_r; trivial.
Qed.

Lemma further_by_angle h z p q a :
  z * z = z1 * z1 -> h <> 0 ->
  is_further (axis (axis_label, h)) (ring_label, V (r * cos p) (r * sin p) z)
             (ring_label, V (r * cos q) (r * sin q) z) a = true <->
  cos (q - p) = cos (angle 12 a) /\ h * sin (q - p) = z2 * sin (angle 12 a).
Proof.
  intros Z Hh. unfold is_further; simpl. rewrite andb_true_iff, !equal_true, ring_dot, ring_det, Z.
  assert (RR : r * r <> 0) by (apply Rmult_integral_contrapositive_currified; trivial).
  split; intros [H1 H2]; split.
  - apply (Rmult_eq_reg_l (r * r)); [lra | trivial].
  - apply (Rmult_eq_reg_l (r * r)); [lra | trivial].
  - rewrite H1; trivial.
  - replace (h * (r * r * sin (q - p))) with (r * r * (h * sin (q - p))) by ring. rewrite H2. ring.
Qed.

Lemma sum_plus : tsum 5 five_neighbours (environment z2) = 1.
Proof.
  rewrite (quadruple_sum z2 (upper ring_label r z1) 1); [| reflexivity | |].
  - transitivity (INR 1); [f_equal; vm_compute; reflexivity | reflexivity].
  - apply (own_ring z2 z1 _ (lower ring_label r z1 psi)); try ring.
    + left; reflexivity.
    + intro p; exists p; reflexivity.
    + intro p; exists (p + psi); reflexivity.
  - intros x y a. unfold upper. rewrite further_by_angle by trivial.
    replace (angle 12 (1 * y - 1 * x)) with (angle 12 y - angle 12 x) by (rewrite !Z.mul_1_l, angle_sub; ring).
    unfold same_direction. split; intros [H1 H2]; split; trivial.
    + apply (Rmult_eq_reg_l z2); trivial.
    + rewrite H2; trivial.
Qed.

Lemma sum_minus : tsum 5 five_neighbours (environment (- z2)) = 0.
Proof.
  rewrite (quadruple_sum (- z2) (lower ring_label r z1 psi) (-1)); [| ring | |].
  - transitivity (INR 0); [f_equal; vm_compute; reflexivity | reflexivity].
  - apply (own_ring (- z2) (- z1) _ (upper ring_label r z1)); try ring.
    + right; reflexivity.
    + intro p; exists (p + psi); reflexivity.
    + intro p; exists p; rewrite Ropp_involutive; reflexivity.
  - intros x y a. unfold lower. rewrite further_by_angle by (try ring; lra).
    replace (angle 12 y + psi - (angle 12 x + psi)) with (angle 12 y - angle 12 x) by ring.
    replace (angle 12 (-1 * y - -1 * x)) with (- (angle 12 y - angle 12 x))
      by (replace (-1 * y - -1 * x)%Z with (x - y)%Z by lia; rewrite angle_sub; ring).
    unfold same_direction. rewrite cos_neg, sin_neg. split; intros [H1 H2]; split; trivial.
    + apply (Rmult_eq_reg_l z2); trivial. lra.
    + rewrite <- H2. ring.
Qed.

(** The two sums are 1 and 0: correlations of order nu = 5 separate the pair. *)
Theorem five_neighbours_separate :
  invariant five_neighbours /\
  tsum 5 five_neighbours (environment z2) = 1 /\ tsum 5 five_neighbours (environment (- z2)) = 0.
Proof. split; [apply five_neighbours_invariant | split; [apply sum_plus | apply sum_minus]]. Qed.
End Invariant.

Print Assumptions five_neighbours_separate.
