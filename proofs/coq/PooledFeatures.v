(** * The permutation step (SM II.2): pooled polynomial features determine the environment

    The network sums a nonlinear function psi of the triplet features over all tagged pairs.  Zaheer et al.
    (Deep sets) say that such sums approximate every symmetric continuous function.  What completeness needs
    is that they separate, and that holds already for polynomials: if, for every polynomial psi of finitely
    many triplet features, the sums over the pairs of X and of Y agree, then a rotation maps X to Y.

    Idea.  A class of functions closed under sums and products that separates points contains, for finitely
    many points, the function that is 1 at one of them and 0 at the others; summed over a list it counts.
    This is used twice: for the neighbours seen from one pair, and for the pairs. *)

Require Import Reals Lra List Permutation Arith Lia Classical.
Import ListNotations.
From Symtrip Require Import Space Environments TupleSums CentralTheorem.
Open Scope R_scope.

(** ** Separating classes count *)

Section SeparatingClass.
Context {T : Type}.
Variable C : (T -> R) -> Prop.
Hypothesis C_const : forall c, C (fun _ => c).
Hypothesis C_plus : forall f g, C f -> C g -> C (fun x => f x + g x).
Hypothesis C_mult : forall f g, C f -> C g -> C (fun x => f x * g x).

(** Points that no function of the class tells apart. *)
Definition inseparable (x y : T) := forall f, C f -> f x = f y.

(** Lagrange interpolation: 1 at x and 0 at every member of the list that can be told from x. *)
Lemma interpolate x l :
  exists f, C f /\ f x = 1 /\ forall y, In y l -> ~ inseparable x y -> f y = 0.
Proof.
  induction l as [|z l (f & Cf & F1 & F0)].
  - exists (fun _ => 1). repeat split; auto. contradiction.
  - destruct (classic (inseparable x z)) as [I|N].
    + exists f. repeat split; trivial. intros y [<-|Iy] Ny; [contradiction | auto].
    + assert (S : exists g, C g /\ g x <> g z).
      { apply NNPP. intro H. apply N. intros g Cg. apply NNPP. intro D. apply H. eauto. }
      destruct S as (g & Cg & D).
      exists (fun y => f y * (/ (g x - g z) * (g y + - g z))). repeat split.
      * apply C_mult; trivial. apply C_mult; auto.
      * rewrite F1. field. lra.
      * intros y [<-|Iy] Ny; [ring | rewrite F0; trivial; ring].
Qed.

(** Equal sums: every point of one list has a partner in the other that nothing tells from it. *)
Lemma inseparable_partner l m x :
  (forall f, C f -> lsum f l = lsum f m) -> In x l -> exists y, In y m /\ inseparable x y.
Proof.
  intros H I. destruct (interpolate x (l ++ m)) as (f & Cf & F1 & F0).
  apply NNPP. intro N.
  assert (Zero : lsum (fun y => f y * f y) m = 0).
  { apply lsum_zero. intros y Iy. rewrite F0; [ring | apply in_or_app; auto | intro E; apply N; eauto]. }
  rewrite <- (H (fun y => f y * f y)) in Zero by auto.
  assert (Pos : 1 <= lsum (fun y => f y * f y) l).
  { clear - I F1. induction l as [|y l IH]; [contradiction|]. simpl.
    assert (0 <= lsum (fun y => f y * f y) l).
    { apply lsum_nonneg. intros z _. apply Rle_0_sqr. }
    pose proof (Rle_0_sqr (f y)) as Q. unfold Rsqr in Q.
    destruct I as [->|I]; [rewrite F1 | specialize (IH I)]; lra. }
  lra.
Qed.

(** If the class tells all points apart, equal sums mean equal multisets. *)
Lemma separated_permutation (eq_dec : forall x y : T, {x = y} + {x <> y}) l m :
  (forall x y, inseparable x y -> x = y) -> (forall f, C f -> lsum f l = lsum f m) -> Permutation l m.
Proof.
  intros S H. apply (permutation_of_counts eq_dec). intro x.
  destruct (interpolate x (l ++ m)) as (f & Cf & F1 & F0).
  assert (E : forall k, incl k (l ++ m) -> INR (count_occ eq_dec k x) = lsum f k).
  { intros k K. rewrite count_occ_indicator. apply lsum_ext. intros y Iy.
    destruct (eq_dec y x) as [->|D]; [symmetry; trivial|]. rewrite F0; auto.
    intro D'. apply D. symmetry. auto. }
  apply INR_eq. rewrite !E; [auto | apply incl_appr, incl_refl | apply incl_appl, incl_refl].
Qed.
End SeparatingClass.

(** ** Polynomial triplet features *)

Section Features.
Context {label : Type} (label_dec : forall a b : label, {a = b} + {a <> b}).
Notation atom := (@atom label).
Notation environment := (list atom).

Definition is_label (l m : label) : R := if label_dec l m then 1 else 0.

(** Polynomials in the projections of one neighbour, resolved by species. *)
Inductive neighbour_polynomial : (label * (R * R * R) -> R) -> Prop :=
| np_const c : neighbour_polynomial (fun _ => c)
| np_species l : neighbour_polynomial (fun d => is_label l (fst d))
| np_j : neighbour_polynomial (fun d => fst (fst (snd d)))
| np_k : neighbour_polynomial (fun d => snd (fst (snd d)))
| np_det : neighbour_polynomial (fun d => snd (snd d))
| np_plus p q : neighbour_polynomial p -> neighbour_polynomial q -> neighbour_polynomial (fun d => p d + q d)
| np_mult p q : neighbour_polynomial p -> neighbour_polynomial q -> neighbour_polynomial (fun d => p d * q d).

(** F_jk for the basis function p: the neighbours' sum of p, seen from the pair. *)
Definition triplet_feature (p : label * (R * R * R) -> R) (X : environment) (j k : atom) : R :=
  lsum (fun r => p (projections (snd j) (snd k) r)) X.

(** Polynomials psi in the triplet features of one pair, its Gram matrix and its species. *)
Inductive pair_polynomial : (environment * (atom * atom) -> R) -> Prop :=
| pp_const c : pair_polynomial (fun _ => c)
| pp_species_j l : pair_polynomial (fun t => is_label l (fst (fst (snd t))))
| pp_species_k l : pair_polynomial (fun t => is_label l (fst (snd (snd t))))
| pp_jj : pair_polynomial (fun t => dot (snd (fst (snd t))) (snd (fst (snd t))))
| pp_jk : pair_polynomial (fun t => dot (snd (fst (snd t))) (snd (snd (snd t))))
| pp_kk : pair_polynomial (fun t => dot (snd (snd (snd t))) (snd (snd (snd t))))
| pp_feature p : neighbour_polynomial p ->
    pair_polynomial (fun t => triplet_feature p (fst t) (fst (snd t)) (snd (snd t)))
| pp_plus f g : pair_polynomial f -> pair_polynomial g -> pair_polynomial (fun t => f t + g t)
| pp_mult f g : pair_polynomial f -> pair_polynomial g -> pair_polynomial (fun t => f t * g t).

(** xi_psi(X) = sum over j, k of psi(F_jk): Eq. 2 of the paper, for a polynomial psi. *)
Definition pooled (psi : environment * (atom * atom) -> R) (X : environment) : R :=
  lsum (fun jk => psi (X, jk)) (list_prod X X).

Lemma is_label_eq l m : is_label l m = 1 <-> l = m.
Proof. unfold is_label. destruct (label_dec l m); split; congruence || lra. Qed.

Lemma projection_dec (d e : label * (R * R * R)) : {d = e} + {d <> e}.
Proof. repeat decide equality; apply Req_EM_T. Defined.

Lemma neighbour_polynomials_separate d e :
  inseparable neighbour_polynomial d e -> d = e.
Proof.
  destruct d as [l [[a b] c]], e as [l' [[a' b'] c']]. intro H.
  pose proof (H _ (np_species l)) as H0. pose proof (H _ np_j) as H1.
  pose proof (H _ np_k) as H2. pose proof (H _ np_det) as H3. simpl in *.
  rewrite (proj2 (is_label_eq l l) eq_refl) in H0. symmetry in H0. apply is_label_eq in H0. congruence.
Qed.

Lemma pair_polynomials_separate X j k Y j' k' :
  inseparable pair_polynomial (X, (j, k)) (Y, (j', k')) -> same_pair_data X j k Y j' k'.
Proof.
  intro H. unfold same_pair_data.
  pose proof (H _ (pp_species_j (fst j))) as H1. pose proof (H _ (pp_species_k (fst k))) as H2.
  pose proof (H _ pp_jj) as H3. pose proof (H _ pp_jk) as H4. pose proof (H _ pp_kk) as H5. simpl in *.
  rewrite (proj2 (is_label_eq (fst j) (fst j)) eq_refl) in H1. symmetry in H1. apply is_label_eq in H1.
  rewrite (proj2 (is_label_eq (fst k) (fst k)) eq_refl) in H2. symmetry in H2. apply is_label_eq in H2.
  repeat split; trivial; [unfold gram; congruence|].
  apply (separated_permutation neighbour_polynomial np_const np_plus np_mult projection_dec
           _ _ neighbour_polynomials_separate).
  intros p Hp. rewrite !lsum_map. apply (H _ (pp_feature p Hp)).
Qed.

(** Equal pooled features make the environments congruent. *)
Theorem pooled_features_complete X Y :
  (forall psi, pair_polynomial psi -> pooled psi X = pooled psi Y) -> congruent X Y.
Proof.
  intro H.
  assert (cover : forall X Y, (forall psi, pair_polynomial psi -> pooled psi X = pooled psi Y) -> covers X Y).
  { clear. intros X Y H a b Ia Ib.
    destruct (inseparable_partner pair_polynomial pp_const pp_plus pp_mult
                (map (pair X) (list_prod X X)) (map (pair Y) (list_prod Y Y)) (X, (a, b)))
      as ([Y' [a' b']] & I & S).
    - intros psi P. rewrite !lsum_map. apply H, P.
    - apply in_map, in_prod; trivial.
    - apply in_map_iff in I as (q & E & I). injection E as <- ->. apply in_prod_iff in I as [].
      exists a', b'. split; [trivial | split; [trivial|]]. apply pair_polynomials_separate, S. }
  apply covering_pairs_determine; apply cover; auto. intros; symmetry; auto.
Qed.

(** Conversely the pooled features are invariant. *)
Theorem pooled_features_invariant X Y psi : pair_polynomial psi -> congruent X Y -> pooled psi X = pooled psi Y.
Proof.
  intros P (M & RM & PM). unfold pooled.
  rewrite <- (lsum_permutation _ _ _ (list_prod_permutation _ _ PM)), list_prod_map, lsum_map.
  apply lsum_ext. intros [j k] _. simpl.
  destruct (rotation_same_pair_data M X j k RM) as (_ & _ & G & D). injection G as G1 G2 G3.
  induction P; simpl in *; try congruence.
  unfold triplet_feature; simpl.
  rewrite <- (lsum_permutation _ _ _ PM), lsum_map. 
  apply lsum_ext. intros r _. f_equal. unfold projections; simpl.
  rewrite !(orthogonal_dot M), rotation_det; trivial; apply RM.
Qed.
End Features.

Print Assumptions pooled_features_complete.
Print Assumptions pooled_features_invariant.
