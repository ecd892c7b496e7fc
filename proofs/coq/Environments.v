(** * Environments: finite multisets of labelled points around a centre

    An atom is a label (its species) and a vector from the centre; an environment is a list of atoms, and
    [Permutation] is equality of environments.  Isometries that fix the centre act on the vectors. *)

Require Import Reals List Permutation.
Import ListNotations.
From Symtrip Require Import Space TupleSums.
Open Scope R_scope.

Section Labelled.
Context {label : Type}.

Definition atom := (label * vec)%type.
Definition move (M : mat) (a : atom) : atom := (fst a, app M (snd a)).

(** Invariance of a function of any number of neighbours under proper rotations. *)
Definition invariant (f : list atom -> R) := forall M t, rotation M -> f (map (move M) t) = f t.

(** The same with the choice of the group: SO(3), or O(3) when [improper_too]. *)
Definition isometry (improper_too : bool) (M : mat) :=
  orthogonal M /\ (mdet M = 1 \/ (improper_too = true /\ mdet M = -1)).
Definition invariant_under (improper_too : bool) (f : list atom -> R) :=
  forall M t, isometry improper_too M -> f (map (move M) t) = f t.

(** All correlations of order n agree: the sums of every invariant function of n neighbours. *)
Definition same_correlations (improper_too : bool) (n : nat) (X Y : list atom) :=
  forall f, invariant_under improper_too f -> tsum n f X = tsum n f Y.

(** Equal up to a proper rotation; equal up to an improper one. *)
Definition congruent (X Y : list atom) := exists M, rotation M /\ Permutation (map (move M) X) Y.
Definition mirror_congruent (X Y : list atom) := exists M, improper M /\ Permutation (map (move M) X) Y.

Lemma move_mul M N a : move (mul M N) a = move M (move N a).
Proof. unfold move; simpl. rewrite app_mul. reflexivity. Qed.

Lemma map_move_mul M N X : map (move (mul M N)) X = map (move M) (map (move N) X).
Proof. rewrite map_map. apply map_ext; intro a. apply move_mul. Qed.

Lemma move_identity a : move identity a = a.
Proof. unfold move. rewrite app_identity. destruct a; reflexivity. Qed.

Lemma map_move_identity X : map (move identity) X = X.
Proof. rewrite <- (map_id X) at 2. apply map_ext, move_identity. Qed.

Lemma map_move_inverse M X : orthogonal M -> map (move (transpose M)) (map (move M) X) = X.
Proof. intro O. rewrite <- map_move_mul, O. apply map_move_identity. Qed.

Lemma congruent_refl X : congruent X X.
Proof. exists identity. split; [apply rotation_identity | rewrite map_move_identity; reflexivity]. Qed.

Lemma congruent_sym X Y : congruent X Y -> congruent Y X.
Proof.
  intros (M & RM & P). exists (transpose M). split; [apply rotation_transpose, RM|].
  rewrite <- P. rewrite map_move_inverse; [reflexivity | apply RM].
Qed.

Lemma congruent_trans X Y Z : congruent X Y -> congruent Y Z -> congruent X Z.
Proof.
  intros (M & RM & P) (N & RN & Q). exists (mul N M). split; [apply rotation_mul; trivial|].
  rewrite map_move_mul, P. exact Q.
Qed.
End Labelled.
