(** * Theorem B: a pair of environments that agree on every invariant of four neighbours (nu = 4)

    The ring of the angles 30 degrees x {0, 1, 3, 4, 5, 8} has the 3-deck of its mirror image, but no
    reflection of the circle maps it to itself.  With 13 neighbours and the four parameters r, z1, z2, psi
    free, A+ and A- agree on every rotation invariant of at most four neighbours and are not congruent;
    an explicit invariant of five neighbours differs.  The finite facts are computed in Coq's kernel. *)

Require Import Reals Lra List Permutation Arith Lia ZArith Bool.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums TwoRings Congruence CyclicRings.
Open Scope R_scope.

Definition hexad : list Z := [0; 1; 3; 4; 5; 8]%Z.
Definition ring12 : list R := cyclic_ring 12 hexad.

(** ** The 3-deck, by computation in Z_12 *)

Lemma hexad_decks_computed :
  forallb (fun m => same_multiset (cyclic_deck 12 m (map Z.opp hexad)) (cyclic_deck 12 m hexad)) [0; 1; 2; 3]%nat
  = true.
Proof. vm_compute. reflexivity. Qed.

Lemma hexad_mirror_decks : mirror_decks 3 ring12.
Proof.
  apply cyclic_mirror_decks; [lia|]. intros m L. apply same_multiset_correct.
  pose proof hexad_decks_computed as H. rewrite forallb_forall in H. apply H.
  assert (E : (m = 0 \/ m = 1 \/ m = 2 \/ m = 3)%nat) by lia. simpl. intuition.
Qed.

(** ** Four neighbours agree *)

Theorem theorem_B {label : Type} (ring_label : label) r z psi heights n f :
  (n <= 4)%nat -> invariant f ->
  tsum n f (two_rings ring_label r z psi ring12 heights) =
  tsum n f (two_rings ring_label r z psi ring12 (map negate heights)).
Proof. intros. apply (lifting_up_to _ _ _ _ _ _ 3); trivial. apply hexad_mirror_decks. Qed.

(** The same for an explicit function of four neighbours and one axis atom. *)
Theorem theorem_B_four_neighbours {label : Type} (ring_label axis_label : label) (r z1 z2 psi : R)
    (f : atom -> atom -> atom -> atom -> R) :
  (forall M, rotation M -> forall x y v w, f (move M x) (move M y) (move M v) (move M w) = f x y v w) ->
  let sum4 X := lsum (fun x => lsum (fun y => lsum (fun v => lsum (fun w => f x y v w) X) X) X) X in
  sum4 (two_rings ring_label r z1 psi ring12 [(axis_label, z2)]) =
  sum4 (two_rings ring_label r z1 psi ring12 [(axis_label, - z2)]).
Proof.
  intros inv sum4.
  set (g := fun t : list (@atom label) => match t with [x; y; v; w] => f x y v w | _ => 0 end).
  assert (E : forall X, sum4 X = tsum 4 g X) by reflexivity.
  rewrite !E. apply (theorem_B ring_label r z1 psi [(axis_label, z2)] 4 g); [lia|].
  intros M t H. destruct t as [|x [|y [|v [|w [|u t]]]]]; simpl; trivial. apply inv, H.
Qed.

(** ** The pair is not congruent *)

Lemma ring12_chiral : ~ achiral ring12.
Proof. apply chiral_by_computation; [lia|]. vm_compute. reflexivity. Qed.

Section NotCongruent.
Context {label : Type}.
Variables (ring_label axis_label : label) (r z1 z2 psi : R).
Hypothesis radius : r <> 0.
Hypothesis ring_height : z1 <> 0.
Hypothesis axis_height : z2 <> 0.
Hypothesis distinguishable : axis_label <> ring_label \/ z2 * z2 <> r * r + z1 * z1.

Let plus := two_rings ring_label r z1 psi ring12 [(axis_label, z2)].
Let minus := two_rings ring_label r z1 psi ring12 [(axis_label, - z2)].

Theorem theorem_B_not_congruent : ~ congruent plus minus.
Proof. intro H. apply ring12_chiral. revert H. apply congruent_iff_achiral; trivial. Qed.

(** Up to improper isometries too, unless psi is a multiple of pi. *)
Theorem theorem_B_mirror_congruent_iff : mirror_congruent plus minus <-> exists k : Z, psi = IZR k * PI.
Proof.
  unfold plus, minus. rewrite mirror_congruent_iff_symmetric by trivial. unfold ring12.
  rewrite no_turns_by_computation; [| lia | discriminate | vm_compute; reflexivity].
  rewrite same_direction_iff. split; intros [k H]; exists k; lra.
Qed.
End NotCongruent.
Print Assumptions theorem_B.
Print Assumptions theorem_B_four_neighbours.
Print Assumptions theorem_B_not_congruent.
Print Assumptions theorem_B_mirror_congruent_iff.
