(** * Sums over the ordered n-tuples of a finite list, repetition allowed

    Every invariant of correlation order nu is such a sum of a rotation-invariant function of nu
    neighbours.  Lists stand for multisets: [Permutation] is equality of multisets. *)

Require Import Reals Lra List Permutation Arith Lia.
Import ListNotations.
Open Scope R_scope.

Section Sums.
Context {A : Type}.

Fixpoint lsum (f : A -> R) (l : list A) : R :=
  match l with [] => 0 | x :: l => f x + lsum f l end.

Lemma lsum_ext f g l : (forall x, In x l -> f x = g x) -> lsum f l = lsum g l.
Proof.
  induction l; simpl; intro H; trivial. rewrite H by auto. rewrite IHl; auto.
Qed.

Lemma lsum_app f l m : lsum f (l ++ m) = lsum f l + lsum f m.
Proof. induction l; simpl; [|rewrite IHl]; lra. Qed.

Lemma lsum_permutation f l m : Permutation l m -> lsum f l = lsum f m.
Proof. induction 1; simpl; lra. Qed.

Lemma lsum_plus f g l : lsum (fun x => f x + g x) l = lsum f l + lsum g l.
Proof. induction l; simpl; [|rewrite IHl]; lra. Qed.

Lemma lsum_scal c f l : lsum (fun x => c * f x) l = c * lsum f l.
Proof. induction l; simpl; [|rewrite IHl]; lra. Qed.

Lemma lsum_zero f l : (forall x, In x l -> f x = 0) -> lsum f l = 0.
Proof. induction l; simpl; intro H; [lra|]. rewrite H, IHl; auto; lra. Qed.

Lemma lsum_const c l : lsum (fun _ => c) l = INR (length l) * c.
Proof.
  induction l; [simpl; lra|]. cbn [lsum length]. rewrite IHl, S_INR; lra.
Qed.

Lemma lsum_nonneg f l : (forall x, In x l -> 0 <= f x) -> 0 <= lsum f l.
Proof.
  induction l; simpl; intro H; [lra|].
  pose proof (H a (or_introl eq_refl)). pose proof (IHl (fun x h => H x (or_intror h))). lra.
Qed.
End Sums.

Lemma lsum_map {A B} (h : A -> B) f l : lsum f (map h l) = lsum (fun x => f (h x)) l.
Proof. induction l; simpl; [|rewrite IHl]; trivial. Qed.

Lemma lsum_exchange {A B} (f : A -> B -> R) l m :
  lsum (fun x => lsum (f x) m) l = lsum (fun y => lsum (fun x => f x y) l) m.
Proof.
  induction l; simpl.
  - symmetry. apply lsum_zero; trivial.
  - rewrite IHl, <- lsum_plus. reflexivity.
Qed.

Lemma lsum_flat_map {A B} (h : A -> list B) f l :
  lsum f (flat_map h l) = lsum (fun x => lsum f (h x)) l.
Proof. induction l; simpl; trivial. rewrite lsum_app, IHl; trivial. Qed.

(** ** Tuples *)

Section Tuples.
Context {A : Type}.

Fixpoint tsum (n : nat) (f : list A -> R) (l : list A) : R :=
  match n with
  | O => f []
  | S n => lsum (fun x => tsum n (fun t => f (x :: t)) l) l
  end.

Fixpoint tuples (n : nat) (l : list A) : list (list A) :=
  match n with
  | O => [[]]
  | S n => flat_map (fun x => map (cons x) (tuples n l)) l
  end.

Lemma tsum_lsum n f l : tsum n f l = lsum f (tuples n l).
Proof.
  revert f; induction n; intro f; simpl; [lra|].
  rewrite lsum_flat_map. apply lsum_ext; intros x _. rewrite IHn, lsum_map; trivial.
Qed.

Lemma tuples_spec n l t : In t (tuples n l) <-> length t = n /\ Forall (fun x => In x l) t.
Proof.
  revert t; induction n; intro t; simpl.
  - split; [intros [<-|[]]; auto | intros [H _]; destruct t; [auto|discriminate]].
  - rewrite in_flat_map. split.
    + intros (x & Hx & Ht). apply in_map_iff in Ht as (t' & <- & Ht').
      apply IHn in Ht' as [L F]. simpl; split; auto.
    + intros [L F]. destruct t as [|x t]; [discriminate|]. inversion F; subst.
      exists x; split; trivial. apply in_map, IHn. simpl in L; split; congruence.
Qed.

Lemma tsum_ext n f g l :
  (forall t, length t = n -> Forall (fun x => In x l) t -> f t = g t) -> tsum n f l = tsum n g l.
Proof.
  intro H. rewrite !tsum_lsum. apply lsum_ext. intros t Ht. apply tuples_spec in Ht as []; auto.
Qed.

Lemma tsum_permutation n f l m : Permutation l m -> tsum n f l = tsum n f m.
Proof.
  intro P. revert f; induction n; intro f; simpl; trivial.
  rewrite (lsum_permutation _ _ _ P). apply lsum_ext; auto.
Qed.

Lemma tsum_plus n f g l : tsum n (fun t => f t + g t) l = tsum n f l + tsum n g l.
Proof. rewrite !tsum_lsum; apply lsum_plus. Qed.

Lemma tsum_scal n c f l : tsum n (fun t => c * f t) l = c * tsum n f l.
Proof. rewrite !tsum_lsum; apply lsum_scal. Qed.

Lemma tsum_zero n f l :
  (forall t, length t = n -> Forall (fun x => In x l) t -> f t = 0) -> tsum n f l = 0.
Proof.
  intro H. rewrite tsum_lsum. apply lsum_zero. intros t Ht. apply tuples_spec in Ht as []; auto.
Qed.

Lemma tuples_length n l : length (tuples n l) = (length l ^ n)%nat.
Proof.
  induction n; simpl; trivial. rewrite <- IHn.
  generalize (tuples n l) as ts; intro ts.
  assert (E : forall m, length (flat_map (fun x => map (cons x) ts) m) = (length m * length ts)%nat).
  { induction m as [|a m IH]; simpl; trivial. rewrite app_length, map_length, IH; trivial. }
  apply E.
Qed.

(** A sum over longer tuples of a function of their first m entries. *)
Lemma tsum_firstn m d f l :
  tsum (m + d) (fun t => f (firstn m t)) l = INR (length l ^ d) * tsum m f l.
Proof.
  revert f; induction m; intro f; simpl.
  - rewrite tsum_lsum, lsum_const, tuples_length; trivial.
  - rewrite <- lsum_scal. apply lsum_ext; intros x _. apply (IHm (fun t => f (x :: t))).
Qed.
End Tuples.

Lemma tsum_map {A B} (h : A -> B) n f l : tsum n f (map h l) = tsum n (fun t => f (map h t)) l.
Proof.
  revert f; induction n; intro f; simpl; trivial.
  rewrite lsum_map. apply lsum_ext; intros; apply IHn.
Qed.

Lemma tuples_map {A B} (h : A -> B) n l : tuples n (map h l) = map (map h) (tuples n l).
Proof.
  induction n; simpl; trivial. rewrite IHn. clear IHn. generalize (tuples n l) as ts; intro ts.
  induction l as [|x l IH]; simpl; trivial. rewrite IH, map_app, !map_map. reflexivity.
Qed.

(** ** Counting as a sum of indicators *)

Definition indicator (b : bool) : R := if b then 1 else 0.

Lemma indicator_and a b : indicator (a && b) = indicator a * indicator b.
Proof. destruct a, b; unfold indicator; simpl; lra. Qed.

Lemma lsum_indicator {A} (p : A -> bool) l :
  lsum (fun x => indicator (p x)) l = INR (length (filter p l)).
Proof.
  induction l as [|a l IH]; trivial. cbn [lsum filter]. rewrite IH.
  destruct (p a); cbn [length]; rewrite ?S_INR; unfold indicator; lra.
Qed.

Section Counting.
Context {A : Type} (eq_dec : forall x y : A, {x = y} + {x <> y}).

Lemma count_occ_indicator l x :
  INR (count_occ eq_dec l x) = lsum (fun y => if eq_dec y x then 1 else 0) l.
Proof.
  induction l as [|a l IH]; trivial. cbn [lsum count_occ]. rewrite <- IH.
  destruct (eq_dec a x); rewrite ?S_INR; lra.
Qed.

(** Two multisets on which every function has the same sum are equal. *)
Lemma permutation_of_counts (l m : list A) :
  (forall x, count_occ eq_dec l x = count_occ eq_dec m x) -> Permutation l m.
Proof. apply (Permutation_count_occ eq_dec). Qed.

Lemma permutation_of_sums (l m : list A) : (forall f, lsum f l = lsum f m) -> Permutation l m.
Proof.
  intro H. apply permutation_of_counts. intro x. apply INR_eq. rewrite !count_occ_indicator. apply H.
Qed.
End Counting.
