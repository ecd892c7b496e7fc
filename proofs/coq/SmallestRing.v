(** * The ring of Theorem B is the smallest of its kind on a regular polygon

    Among all sets of vertices of a regular n-gon with n < 12, and among all sets of at most five vertices of the
    12-gon, every set that has the 3-deck of its mirror image is achiral.  All sets are tried; a set may be
    turned so that it contains the vertex 0. *)

Require Import Reals List Permutation Arith Lia ZArith Bool.
Import ListNotations.
From Symtrip Require Import Space TupleSums Environments TwoRings Congruence CyclicRings.
Open Scope Z_scope.

(** ** One entry of the 3-deck is a sum over the ring *)

Section Entry.
Variable n : Z.

(** How many members are a places further than x, and how often the pattern (0, a, b) occurs. *)
Definition further (xs : list Z) (x a : Z) : nat := length (filter (fun y => residue n (y - x) =? a) xs).
Definition pattern (xs : list Z) (a b : Z) : nat :=
  fold_right (fun x s => (further xs x a * further xs x b + s)%nat) 0%nat xs.

Lemma pattern_count xs a b : 0 < n -> pattern xs a b = count (cyclic_deck n 3 xs) [0; a; b].
Proof.
  intro N. apply INR_eq. unfold count, cyclic_deck. rewrite count_occ_indicator, lsum_map.
  rewrite <- (tsum_lsum 3 (fun t => if list_dec (class n t) [0; a; b] then 1%R else 0%R) xs).
  transitivity (lsum (fun x => INR (further xs x a) * INR (further xs x b))%R xs).
  { unfold pattern. generalize xs at 3 6. intro ys. induction ys as [|y ys IH]; trivial.
    cbn [fold_right lsum]. rewrite plus_INR, mult_INR, IH. reflexivity. }
  symmetry. cbn [tsum]. apply lsum_ext; intros x _. unfold further. rewrite <- !lsum_indicator.
  rewrite Rmult_comm, <- lsum_scal. apply lsum_ext; intros y _.
  rewrite (Rmult_comm _ (indicator _)), <- lsum_scal. apply lsum_ext; intros z _.
  assert (E0 : class n [x; y; z] = [0; residue n (y - x); residue n (z - x)]).
  { unfold class, residue; simpl. rewrite Z.sub_diag, Zmod_0_l. reflexivity. }
  rewrite E0. destruct (list_dec _ _) as [E|E], (Z.eqb_spec (residue n (y - x)) a) as [A|A],
    (Z.eqb_spec (residue n (z - x)) b) as [B|B]; unfold indicator; try ring; exfalso; congruence.
Qed.

(** The same from a table that is made once: row x holds the numbers of members 0, 1, .. places further. *)
Definition table (xs : list Z) : list (list nat) := map (fun x => map (further xs x) (residues n)) xs.
Definition entry (rows : list (list nat)) (i j : nat) : nat :=
  fold_right (fun row s => (nth i row 0 * nth j row 0 + s)%nat) 0%nat rows.

Lemma entry_pattern xs i j :
  (i < Z.to_nat n)%nat -> (j < Z.to_nat n)%nat -> entry (table xs) i j = pattern xs (Z.of_nat i) (Z.of_nat j).
Proof.
  intros Hi Hj. unfold entry, table, pattern.
  assert (row : forall x k, (k < Z.to_nat n)%nat -> nth k (map (further xs x) (residues n)) 0%nat = further xs x (Z.of_nat k)).
  { intros x k Hk. unfold residues. rewrite map_map.
    rewrite (nth_indep _ 0%nat (further xs x (Z.of_nat 0))) by (rewrite map_length, seq_length; exact Hk).
    rewrite (map_nth (fun m => further xs x (Z.of_nat m))), seq_nth by exact Hk. reflexivity. }
  generalize xs at 2 5. intro ys. induction ys as [|y ys IH]; trivial. cbn [map fold_right].
  rewrite !row, IH by trivial. reflexivity.
Qed.
End Entry.

(** ** All sets of vertices *)

Fixpoint sublists (l : list Z) : list (list Z) :=
  match l with [] => [[]] | x :: l => let s := sublists l in map (cons x) s ++ s end.

(** The sets of vertices of the n-gon that contain 0 and have at most [size] members. *)
Definition vertex_sets (n : Z) (size : nat) : list (list Z) :=
  filter (fun xs => Nat.leb (length xs) size) (map (cons 0) (sublists (tl (residues n)))).

(** Some entry of the 3-deck tells the set from its mirror image. *)
Definition decks_differ (n : Z) (xs : list Z) : bool :=
  let rows := table n xs in
  let mirrored := table n (map Z.opp xs) in
  let places := seq 0 (Z.to_nat n) in
  existsb (fun i => existsb (fun j => negb (Nat.eqb (entry rows i j) (entry mirrored i j))) places) places.

Definition no_example (n : Z) (xs : list Z) : bool :=
  if decks_differ n xs then true else match mirrors n xs with [] => false | _ => true end.

Lemma no_example_correct n xs :
  0 < n -> no_example n xs = true ->
  Permutation (cyclic_deck n 3 (map Z.opp xs)) (cyclic_deck n 3 xs) -> achiral (cyclic_ring n xs).
Proof.
  intros N H P. apply achiral_cyclic; [exact N|]. unfold no_example in H.
  destruct (decks_differ n xs) eqn:D.
  - unfold decks_differ in D. apply existsb_exists in D as (i & Ii & D). apply existsb_exists in D as (j & Ij & D).
    apply in_seq in Ii. apply in_seq in Ij. rewrite !entry_pattern, !pattern_count in D by lia. unfold count in D.
    rewrite (proj1 (Permutation_count_occ list_dec _ _) P), Nat.eqb_refl in D. discriminate.
  - destruct (mirrors n xs) as [|t l] eqn:M; [discriminate|].
    assert (I : In t (mirrors n xs)) by (rewrite M; left; reflexivity).
    apply filter_In in I as [_ I]. exists t. apply same_residues_correct, I.
Qed.

Lemma all_small_polygons_tried :
  forallb (fun n => forallb (no_example n) (vertex_sets n 11)) [1; 2; 3; 4; 5; 6; 7; 8; 9; 10; 11] = true.
Proof. vm_cast_no_check (eq_refl true). Qed.

Lemma all_small_sets_tried : forallb (no_example 12) (vertex_sets 12 5) = true.
Proof. vm_cast_no_check (eq_refl true). Qed.

Theorem no_smaller_polygon n xs :
  1 <= n <= 11 -> In xs (vertex_sets n 11) ->
  Permutation (cyclic_deck n 3 (map Z.opp xs)) (cyclic_deck n 3 xs) -> achiral (cyclic_ring n xs).
Proof.
  intros N I. apply no_example_correct; [lia|].
  pose proof all_small_polygons_tried as H. rewrite forallb_forall in H.
  assert (J : In n [1; 2; 3; 4; 5; 6; 7; 8; 9; 10; 11]) by (simpl; lia).
  specialize (H n J). rewrite forallb_forall in H. apply H, I.
Qed.

Theorem no_smaller_set xs :
  In xs (vertex_sets 12 5) ->
  Permutation (cyclic_deck 12 3 (map Z.opp xs)) (cyclic_deck 12 3 xs) -> achiral (cyclic_ring 12 xs).
Proof.
  intros I. apply no_example_correct; [lia|].
  pose proof all_small_sets_tried as H. rewrite forallb_forall in H. apply H, I.
Qed.

Print Assumptions no_smaller_polygon.
Print Assumptions no_smaller_set.
