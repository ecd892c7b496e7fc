(** * Rings on a regular n-gon: decks and chirality are finite computations in Z_n

    A ring with angles 2 pi x / n, x an integer, has as its m-deck the multiset of its m-tuples of residues,
    each shifted so that the first residue is 0.  Equality of these multisets for the ring and its mirror
    image gives the hypothesis of the lifting theorem; a reflection or a turn of the circle that maps the
    ring to itself must be one of Z_n. *)

Require Import Reals Lra List Permutation Arith Lia ZArith Bool.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums TwoRings Congruence.
Open Scope R_scope.

Section Cyclic.
Variable n : Z.
Hypothesis n_pos : (0 < n)%Z.

Definition angle (x : Z) : R := 2 * PI / IZR n * IZR x.
Definition cyclic_ring (xs : list Z) : list R := map angle xs.

Lemma angle_add x y : angle (x + y) = angle x + angle y.
Proof. unfold angle. rewrite plus_IZR. ring. Qed.

Lemma angle_sub x y : angle (x - y) = angle x - angle y.
Proof. unfold angle. rewrite minus_IZR. ring. Qed.

Lemma angle_opp x : angle (- x) = - angle x.
Proof. unfold angle. rewrite opp_IZR. ring. Qed.

Lemma angle_direction x y : same_direction (angle x) (angle y) <-> (x mod n = y mod n)%Z.
Proof.
  assert (N : IZR n <> 0) by (apply not_0_IZR; lia).
  pose proof PI_RGT_0 as P. rewrite same_direction_iff. split.
  - intros [k H]. assert (E : IZR x = IZR (y + n * k)).
    { rewrite plus_IZR, mult_IZR. apply (Rmult_eq_reg_l (2 * PI / IZR n)).
      - unfold angle in H. rewrite H. field. exact N.
      - unfold Rdiv. apply Rmult_integral_contrapositive_currified; [lra | apply Rinv_neq_0_compat, N]. }
    apply eq_IZR in E. subst x. rewrite Z.mul_comm. apply Z_mod_plus_full.
  - intro H. exists (x / n - y / n)%Z.
    pose proof (Z.div_mod x n ltac:(lia)) as Hx. pose proof (Z.div_mod y n ltac:(lia)) as Hy.
    assert (E : x = (y + n * (x / n - y / n))%Z) by lia.
    unfold angle. rewrite E at 1. rewrite plus_IZR, mult_IZR. field. exact N.
Qed.

Lemma angle_circle x y : circle (angle x) = circle (angle y) <-> (x mod n = y mod n)%Z.
Proof.
  rewrite <- angle_direction. unfold circle, same_direction. split.
  - intro H. injection H; auto.
  - intros [-> ->]; trivial.
Qed.

(** ** Decks *)

Definition residue (x : Z) : Z := (x mod n)%Z.

(** A tuple up to shifts: its first residue is moved to 0. *)
Definition class (t : list Z) : list Z :=
  match t with [] => [] | x :: _ => map (fun y => residue (y - x)) t end.

Definition cyclic_deck (m : nat) (xs : list Z) : list (list Z) := map class (tuples m xs).

Lemma class_value g t : shift_invariant g -> g (map angle (class t)) = g (map angle t).
Proof.
  intros [shift dir]. destruct t as [|x t]; trivial.
  rewrite <- (shift (- angle x) (map angle (x :: t))). apply dir.
  unfold class. generalize (x :: t) as u; intro u. rewrite !map_map.
  induction u as [|y u IH]; simpl; constructor; trivial.
  replace (- angle x + angle y) with (angle (y - x)) by (rewrite angle_sub; ring).
  apply angle_direction. unfold residue. apply Zmod_mod.
Qed.

Lemma cyclic_deck_sums m xs g :
  shift_invariant g -> tsum m g (cyclic_ring xs) = lsum (fun c => g (map angle c)) (cyclic_deck m xs).
Proof.
  intro H. unfold cyclic_ring, cyclic_deck. rewrite tsum_map, tsum_lsum, lsum_map.
  apply lsum_ext; intros t _. symmetry. apply class_value, H.
Qed.

Theorem cyclic_mirror_decks k xs :
  (forall m, (m <= k)%nat -> Permutation (cyclic_deck m (map Z.opp xs)) (cyclic_deck m xs)) ->
  mirror_decks k (cyclic_ring xs).
Proof.
  intros D m L g H. rewrite <- tsum_map.
  assert (E : map Ropp (cyclic_ring xs) = cyclic_ring (map Z.opp xs)).
  { unfold cyclic_ring. rewrite !map_map. apply map_ext; intro x. symmetry. apply angle_opp. }
  rewrite E, !cyclic_deck_sums by trivial. apply lsum_permutation, D, L.
Qed.

(** ** Reflections and turns that preserve the ring *)

Lemma same_cyclic_ring xs ys :
  same_ring (cyclic_ring xs) (cyclic_ring ys) <-> Permutation (map residue xs) (map residue ys).
Proof.
  unfold same_ring, cyclic_ring.
  assert (E : forall l, map circle (map angle l) = map (fun c => circle (angle c)) (map residue l)).
  { intro l. rewrite !map_map. apply map_ext; intro x. apply angle_circle. unfold residue.
    rewrite Zmod_mod. reflexivity. }
  rewrite !E. split; intro H; [|apply Permutation_map, H].
  apply Permutation_map_inv in H as (l & Hl & P). rewrite P. apply Permutation_sym.
  replace l with (map residue xs); [reflexivity|].
  assert (In_residue : forall x, In x l -> residue x = x).
  { intros x I. apply (Permutation_in _ (Permutation_sym P)) in I.
    apply in_map_iff in I as (y & <- & _). apply Zmod_mod. }
  clear P. revert l Hl In_residue. induction xs as [|x xs IH]; intros [|c l] Hl R; simpl in *; try discriminate; trivial.
  injection Hl as Hc Hs Hl. f_equal.
  - rewrite <- (R c (or_introl eq_refl)).
    assert (C : circle (angle (residue x)) = circle (angle c)) by (unfold circle; congruence).
    apply angle_circle in C. unfold residue in *. rewrite Zmod_mod in C. exact C.
  - apply IH; auto.
Qed.

Lemma image_angle a x ys :
  In (circle (a + angle x)) (map circle (cyclic_ring ys)) ->
  exists y, In y ys /\ same_direction a (angle (y - x)).
Proof.
  intro I. unfold cyclic_ring in I. rewrite map_map in I. apply in_map_iff in I as (y & E & Iy).
  exists y; split; trivial. rewrite angle_sub.
  assert (S : same_direction (angle y) (a + angle x)) by (unfold circle in E; injection E; split; trivial).
  apply same_direction_iff in S as [k S]. apply same_direction_iff. exists (- k)%Z. rewrite opp_IZR. lra.
Qed.

Lemma circle_turn a b p : same_direction a b -> circle (a + p) = circle (b + p).
Proof. intros [C S]. unfold circle. rewrite !cos_plus, !sin_plus, C, S. reflexivity. Qed.

Lemma symmetric_cyclic a xs :
  xs <> [] -> symmetric_under a (cyclic_ring xs) <->
  exists t, same_direction a (angle t) /\ Permutation (map residue (map (Z.add t) xs)) (map residue xs).
Proof.
  intro NE.
  assert (E : forall t, same_direction a (angle t) ->
    map circle (map (Rplus a) (cyclic_ring xs)) = map circle (cyclic_ring (map (Z.add t) xs))).
  { intros t S. unfold cyclic_ring. rewrite !map_map. apply map_ext; intro x.
    rewrite angle_add. apply circle_turn, S. }
  split.
  - intro H. destruct xs as [|x xs]; [congruence|].
    destruct (image_angle a x (x :: xs)) as (y & _ & S).
    { apply (Permutation_in _ H). left; reflexivity. }
    exists (y - x)%Z; split; trivial. apply same_cyclic_ring. unfold same_ring.
    rewrite <- (E _ S). exact H.
  - intros (t & S & P). unfold symmetric_under, same_ring. rewrite (E t S). apply same_cyclic_ring, P.
Qed.

Lemma achiral_cyclic xs :
  achiral (cyclic_ring xs) <->
  exists t, Permutation (map residue (map (Z.sub t) xs)) (map residue xs).
Proof.
  assert (E : forall a t, same_direction a (angle t) ->
    map circle (map (fun p => a - p) (cyclic_ring xs)) = map circle (cyclic_ring (map (Z.sub t) xs))).
  { intros a t S. unfold cyclic_ring. rewrite !map_map. apply map_ext; intro x.
    rewrite angle_sub. apply (circle_turn a (angle t) (- angle x)), S. }
  split.
  - intros [a H]. destruct xs as [|x xs]; [exists 0%Z; reflexivity|].
    destruct (image_angle a (- x) (x :: xs)) as (y & _ & S).
    { apply (Permutation_in _ H). left. rewrite angle_opp. reflexivity. }
    exists (y - - x)%Z. apply same_cyclic_ring. unfold same_ring. rewrite <- (E a _ S). exact H.
  - intros [t P]. exists (angle t). unfold same_ring. rewrite (E (angle t) t); [|split; reflexivity].
    apply same_cyclic_ring, P.
Qed.

(** ** Deciding by computation *)

Definition list_dec := list_eq_dec Z.eq_dec.
Definition count (l : list (list Z)) (c : list Z) := count_occ list_dec l c.

(** Equality of multisets: the counts of all members agree. *)
Definition same_multiset (l m : list (list Z)) : bool :=
  forallb (fun c => Nat.eqb (count l c) (count m c)) (l ++ m).

Lemma same_multiset_correct l m : same_multiset l m = true <-> Permutation l m.
Proof.
  unfold same_multiset, count. rewrite forallb_forall. split.
  - intro H. apply (Permutation_count_occ list_dec). intro c.
    destruct (in_dec list_dec c (l ++ m)) as [I|I].
    + apply Nat.eqb_eq, H, I.
    + rewrite in_app_iff in I. rewrite !(proj1 (count_occ_not_In _ _ _)); tauto.
  - intros P c _. apply Nat.eqb_eq. revert c. apply (Permutation_count_occ list_dec), P.
Qed.

Definition same_residues (xs ys : list Z) : bool :=
  same_multiset (map (fun x => [residue x]) xs) (map (fun x => [residue x]) ys).

Lemma same_residues_correct xs ys :
  same_residues xs ys = true <-> Permutation (map residue xs) (map residue ys).
Proof.
  unfold same_residues. rewrite same_multiset_correct.
  assert (E : forall l, map (fun x => [residue x]) l = map (fun c => [c]) (map residue l))
    by (intro; rewrite map_map; trivial).
  rewrite !E. split; [|apply Permutation_map].
  intro P. apply (Permutation_map (fun c => hd 0%Z c)) in P.
  rewrite !map_map in P. exact P.
Qed.

Definition residues := map Z.of_nat (seq 0 (Z.to_nat n)).

Lemma residue_in x : In (residue x) residues.
Proof.
  unfold residue, residues. pose proof (Z.mod_pos_bound x n n_pos).
  rewrite <- (Z2Nat.id (x mod n)) by lia. apply in_map, in_seq. lia.
Qed.

Definition mirrors (xs : list Z) := filter (fun t => same_residues (map (Z.sub t) xs) xs) residues.
Definition turns (xs : list Z) := filter (fun t => same_residues (map (Z.add t) xs) xs) residues.

Lemma chiral_by_computation xs : mirrors xs = [] -> ~ achiral (cyclic_ring xs).
Proof.
  intros M A. apply achiral_cyclic in A as [t P].
  assert (I : In (residue t) (mirrors xs)).
  { apply filter_In. split; [apply residue_in|]. apply same_residues_correct.
    rewrite <- P. replace (map residue (map (Z.sub (residue t)) xs)) with (map residue (map (Z.sub t) xs)); trivial.
    rewrite !map_map. apply map_ext; intro x. unfold residue. symmetry. apply Zminus_mod_idemp_l. }
  rewrite M in I. exact I.
Qed.

Lemma no_turns_by_computation a xs :
  xs <> [] -> turns xs = [0%Z] -> symmetric_under a (cyclic_ring xs) <-> same_direction a 0.
Proof.
  intros NE T. rewrite symmetric_cyclic by trivial.
  assert (A0 : angle 0 = 0) by (unfold angle; ring). split.
  - intros (t & S & P).
    assert (I : In (residue t) (turns xs)).
    { apply filter_In. split; [apply residue_in|]. apply same_residues_correct.
      rewrite <- P. replace (map residue (map (Z.add (residue t)) xs)) with (map residue (map (Z.add t) xs)); trivial.
      rewrite !map_map. apply map_ext; intro x. unfold residue. symmetry. apply Zplus_mod_idemp_l. }
    rewrite T in I. destruct I as [I|[]].
    assert (D : same_direction (angle t) (angle 0)) by (apply angle_direction; unfold residue in I; rewrite <- I, Zmod_0_l; reflexivity).
    rewrite A0 in D. destruct S, D. split; congruence.
  - intro S. exists 0%Z. rewrite A0. split; trivial. rewrite (map_ext (Z.add 0) (fun x => x)), map_id; trivial.
Qed.
End Cyclic.

Print Assumptions cyclic_mirror_decks.
Print Assumptions chiral_by_computation.
